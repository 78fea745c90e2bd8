/* bcryptprimitives.dll for a Wine that lacks it. Rust's standard library takes one function from it, ProcessPrng;
   every Windows since 2000 has the older SystemFunction036 (RtlGenRandom), and so has Wine. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    const SIZE_T largest = 1 << 20;

    while (length > 0) {
        SIZE_T part = length < largest ? length : largest;
        if (!SystemFunction036(buffer, (ULONG)part))
            return FALSE;
        buffer += part;
        length -= part;
    }
    return TRUE;
}

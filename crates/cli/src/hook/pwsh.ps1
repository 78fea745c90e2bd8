# clauth: keeps CLAUTH_PROFILE, the profile whose login `claude` uses in this shell, for your prompt.
# Before each prompt it reads a small file or two; it starts no process.
function global:__clauth_value([string]$file, [string]$key) {
    if (-not [System.IO.File]::Exists($file)) { return '' }
    foreach ($line in [System.IO.File]::ReadAllLines($file)) {
        if ($line -match ('^' + $key + ' *= *(["''])(.*?)\1')) { return $Matches[2] }
        if ($line.StartsWith('[')) { return '' }
    }
    return ''
}
function global:__clauth_profile {
    $root = if ($env:CLAUTH_HOME) { $env:CLAUTH_HOME } else { @ROOT@ }
    $config = $env:CLAUDE_CONFIG_DIR
    $name = ''
    $tree = [regex]::Escape([System.IO.Path]::Combine($root, 'profiles')) + '[\\/]([^\\/]+)[\\/](?:runtime|isolated[\\/][^\\/]+)$'
    if ($config -match ('^' + $tree)) {
        $name = $Matches[1]
    } elseif (-not $config -or $config -eq (__clauth_value ([System.IO.Path]::Combine($root, 'settings.toml')) 'home')) {
        $name = __clauth_value ([System.IO.Path]::Combine($root, 'profiles.toml')) 'active_profile'
    }
    if ($name) { $env:CLAUTH_PROFILE = $name } else { Remove-Item Env:CLAUTH_PROFILE -ErrorAction Ignore }
}
if (-not $global:__clauth_prompt) {
    $global:__clauth_prompt = $function:prompt
    function global:prompt { __clauth_profile; & $global:__clauth_prompt }
}

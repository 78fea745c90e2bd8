# Completion for clauth in PowerShell; the names of the profiles are asked for when they are wanted.
Register-ArgumentCompleter -Native -CommandName clauth -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    # An empty word would not reach a program, so the last one comes behind a sign.
    $current = '=' + $wordToComplete.Trim("'", '"')
    foreach ($line in @(clauth __complete pwsh -- @before $current 2>$null)) {
        # Then PowerShell completes paths by itself.
        if ($line -match '^:(files|dirs|claude \d+)$') { continue }
        $value, $tip = $line -split "`t", 2
        if (-not $tip) { $tip = $value }
        $text = if ($value -match '^[\w.+-]+$') { $value } else { "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $tip)
    }
}

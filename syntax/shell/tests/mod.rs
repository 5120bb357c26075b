mod dump;
mod properties;

use dump::read;

#[track_caller]
fn reads(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "for {text:?}");
    }
}

#[test]
fn lists_and_pipelines() {
    reads(&[
        ("", ""),
        ("  ", ""),
        ("# only a comment", " # only a comment"),
        ("a", "[a]"),
        ("a && b || c; d", "[a] && [b] || [c]; [d]"),
        ("a;", "[a];"),
        ("cmd & wait", "[cmd] & [wait]"),
        ("a &", "[a] &"),
        ("a\nb\n\n# c\nd", "[a] NL [b] NL [d]"),
        ("a &&\n b |\n c", "[a] && [b] | [c]"),
        ("! a | b && ! c", "! [a] | [b] && ! [c]"),
        ("a # b && c", "[a] # b && c"),
        ("a #b\n", "[a] NL"),
        ("a#b", "[\"a#b\"]"),
        ("a \\\n b\\\n", "[a b]"),
        ("time make", "[time make]"),
    ]);
}

#[test]
fn literal_words() {
    reads(&[
        (r#"e 'a b' "c d" e\ f"#, r#"[e "a b" "c d" "e f"]"#),
        (r#"e a'b'"c"d \n \;"#, r#"[e abcd n ";"]"#),
        (r#"e '' "" x"" "\$\"\n\\" 'a\b'"#, r#"[e "" "" x "$\"\\n\\" "a\\b"]"#),
        ("e {} { } {a} a{b }c", r#"[e "{}" "{" "}" "{a}" "a{b" "}c"]"#),
        ("[ -f x ] && test ] a[b", "[[ -f x ]] && [test ] a[b]"),
        ("e a=b =x --o=p 100% @ a:b ^x", "[e a=b =x --o=p 100% @ a:b ^x]"),
        (r#"e $ "$" a$ $/ "\é" é\é"#, r#"[e "$" "$" "a$" "$/" "\\é" éé]"#),
        ("e a~b 'x'~ ~'x'", "[e a~b x~ <TILDE1 x>]"),
        (
            "apt-get -o Dpkg::Options::=\"--force-confold\" x",
            "[apt-get -o Dpkg::Options::=--force-confold x]",
        ),
        ("sed -i 's/a;b/c|d/; s/(/)/' f", r#"[sed -i "s/a;b/c|d/; s/(/)/" f]"#),
        ("e if then fi", "[e if then fi]"),
        ("'if' x; \\fi", "[if x]; [fi]"),
    ]);
}

#[test]
fn words_that_expand() {
    reads(&[
        (r#"e $x "$x" ${x}y"#, r#"[e <$x> <q$x> <$x y>]"#),
        (
            r#"e ${x:-a b} "${v%.*}" ${#x} $# ${#} $1$2 $10"#,
            "[e <${x :-a b}> <q${v %.*}> <${x #}> <$#> <$#> <$1 $2> <$1 0>]",
        ),
        (r#"e ${x:-$(a "b")} ${x:-`c`}"#, r#"[e <${x :-$(a "b")} $([a b])> <${x :-`c`} $([c])>]"#),
        (r#"e $(a | b) "$(c "d e")" `f g`"#, r#"[e <$([a] | [b])> <q$([c "d e"])> <$([f g])>]"#),
        (r#"e `a \`b\`` $() "`c`""#, "[e <$(unread)> <$()> <q$([c])>]"),
        ("e $((1 + (2 * x))) $(( $(a) ))", "[e <ARITHMETIC> <ARITHMETIC q$([a])>]"),
        ("rm -rf a/* b?c [a-z]x *.d", r#"[rm -rf <a/ GLOB1> <b GLOB1 c> <GLOB5 x> <GLOB1 .d>]"#),
        ("e ~ ~u/x a=~/b", "[e <TILDE1> <TILDE2 /x> <a= TILDE1 /b>]"),
        ("e x{a,b}y {1..3} {$a,$(b)}", "[e <x BRACE5 y> <BRACE6> <BRACE9 $a $([b])>]"),
        ("e {a},b {a}", r#"[e "{a},b" "{a}"]"#),
        (r#"e "${x//\//_}" ${x:-{}}"#, "a quote in an expansion at 18"),
        (r#"e "{\"a\": \"$x\"}""#, r#"[e <"{\"a\": \"" q$x "\"}">]"#),
        ("e ''$x", r#"[e <"" $x>]"#),
    ]);
}

#[test]
fn assignments_and_redirections() {
    reads(&[
        ("A=b C= D+=\"e f\" g h=i", "[A=b C=\"\" D+=\"e f\" g h=i]"),
        ("a=$(b) && export C=d", "[a=<$([b])>] && [export C=d]"),
        ("a > b 2>&1 < c >>d", "[a >b 2>&1 <c >>d]"),
        ("2>/dev/null a 3 <<< x &> y", "[a 3 2>/dev/null <<<x &>y]"),
        ("e a2>b", "[e a2 >b]"),
        ("> f", "[ >f]"),
        ("a >&-", "[a >&-]"),
    ]);
}

#[test]
fn control_structures() {
    reads(&[
        ("(a; b) > c && { d; } 2>&1", "[subshell [a]; [b] >c] && [group [d]; 2>&1]"),
        ("if a; then b; elif c; then d; else e; fi", "[if [a]; then [b]; if [c]; then [d]; else [e];]"),
        ("if [ -f x ]; then if b; then c; fi fi", "[if [[ -f x ]]; then [if [b]; then [c];]]"),
        (
            "for x in a \"b c\"; do apt-get install $x; done",
            "[for x in (a \"b c\") do [apt-get install <$x>];]",
        ),
        ("for x; do a; done; for y do b; done", "[for x do [a];]; [for y do [b];]"),
        ("while a; do b; done | until c\ndo d\ndone", "[while [a]; do [b];] | [until [c] NL do [d] NL]"),
        (
            "case $x in a|'b') c;; (d*) ;; *) echo \"unsupported\"; exit 1 ;; esac",
            "[case <$x> (a b) [c] (<d GLOB1>)  (<GLOB1>) [echo unsupported]; [exit 1]]",
        ),
        ("case x in esac; case y in a) b; esac", "[case x]; [case y (a) [b];]"),
        ("f() { a; }; f", "[function f [group [a];]]; [f]"),
        ("g ()\n(a) > b", "[function g [subshell [a] >b]]"),
        ("[[ -f a && ! $b =~ ^c+$ || d ]]", "[test -f a \"&&\" ! <$b> =~ \"^c+$\" \"||\" d]"),
        ("if ((x > 1)); then a; fi", "[if [arithmetic]; then [a];]"),
        ("{ (a) }", "[group [subshell [a]]]"),
    ]);
}

#[test]
fn heredocs_of_scripts_with_lines() {
    reads(&[
        ("cat <<E > f && a\nx ) ' $y\nE\nb", "[cat <<E >f] && [a] NL [b]"),
        ("cat <<-'E'\n$(x)\n\t\tE\nb", "[cat <<-E] NL [b]"),
        ("a=$(cat <<E\nx\nE\n)", "[a=<$([cat <<E] NL)>]"),
        ("cat <<E", "a heredoc at 4"),
        ("cat <<E\nx", "a heredoc without an end at 4"),
        ("cat <<E\n$(x)\nE\n", "a command substitution in a heredoc at 8"),
        ("(cat <<E\nE\n)", "[subshell [cat <<E] NL]"),
        ("cat <<E $(a\n)\nE\n", "a heredoc at 4"),
    ]);
}

#[test]
fn refusals() {
    reads(&[
        ("a 'b", "an unterminated quote at 2"),
        ("a \"b", "an unterminated quote at 2"),
        ("a \\", "a backslash at the end at 2"),
        ("a && && b", "an unexpected `&` at 5"),
        ("&& a", "an unexpected `&` at 0"),
        ("a &&", "a missing command at 4"),
        ("a | ", "a missing command at 4"),
        ("a | | b", "an unexpected `|` at 4"),
        ("a ;; b", "an unexpected `;` at 2"),
        ("a; ; b", "an unexpected `;` at 3"),
        ("a &; b", "an unexpected `;` at 3"),
        ("()", "a missing command at 1"),
        ("(a", "an unclosed `(` at 0"),
        ("a)", "an unmatched `)` at 1"),
        ("{ a; ", "an unclosed `{` at 5"),
        ("{ a }", "an unclosed `{` at 5"),
        ("{a; }", "a misplaced reserved word at 4"),
        ("then a", "a misplaced reserved word at 0"),
        ("fi", "a misplaced reserved word at 0"),
        ("a; done", "a misplaced reserved word at 3"),
        ("if a; then b", "an `if` without `fi` at 12"),
        ("if a; fi", "a misplaced reserved word at 6"),
        ("if a; then fi", "a missing command at 11"),
        ("for x in a; b; done", "an unexpected word at 12"),
        ("for 1 in a; do b; done", "a loop without a variable at 4"),
        ("for x in a b do c; done", "a misplaced reserved word at 19"),
        ("while a; do done", "a missing command at 12"),
        ("case a in b c) d;; esac", "a case pattern without `)` at 12"),
        ("case a in b) c", "a `case` without `esac` at 14"),
        ("case a in b) c;& d) e;; esac", "a case arm that falls through at 14"),
        ("(a) b", "an unexpected word at 4"),
        ("a (b)", "an unexpected `(` at 2"),
        ("a b(c)", "an unexpected `(` at 3"),
        ("a |& b", "a `|&` at 2"),
        ("a $'b'", "a `$'...'` string at 2"),
        ("a=(b c)", "an array at 2"),
        ("a[1]=b", "an array at 1"),
        ("function f { a; }", "a function with the `function` keyword at 0"),
        ("f() a", "a function whose body is a simple command at 4"),
        ("a <(b)", "a process substitution at 3"),
        ("a >", "a redirection without a target at 3"),
        ("a > 2>&1", "a redirection without a target at 2"),
        ("a {fd}>b", "a named file descriptor at 6"),
        ("a 10>b", "a file descriptor above 9 at 4"),
        ("e ${x", "an unterminated expansion at 2"),
        ("e ${}", "a bad substitution at 4"),
        ("e ${!x}", "an indirect expansion at 5"),
        ("e \"${x:-'a'}\"", "a quote in an expansion at 6"),
        ("e $(a", "an unterminated command substitution at 2"),
        ("e `a", "an unterminated command substitution at 2"),
        ("e $((a); b)", "a `((` that isn't closed by `))` at 6"),
        ("e $((1)", "a `((` that isn't closed by `))` at 6"),
        ("[[ a b ]]", "a `[[` of an unknown form at 6"),
        ("[[ a && ]]", "a `[[` of an unknown form at 8"),
        ("]] a", "a misplaced reserved word at 0"),
        ("time", "a misplaced reserved word at 0"),
        ("time ! a", "a misplaced reserved word at 0"),
        ("{\\\na; }", "a line continuation within a word at 1"),
        ("! ! a", "a misplaced reserved word at 2"),
        ("a\0b", "a NUL byte at 1"),
        ("a\\\nb", "a line continuation within a word at 1"),
    ]);
}

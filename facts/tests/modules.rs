//! What the parts of the facts say about single commands and instructions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use dockeropt_facts::command::call;
use dockeropt_facts::effects::{is_private, resolve};
use dockeropt_facts::shell_state::leaks;
use dockeropt_facts::tables::Manager;
use dockeropt_facts::usage::{alternatives, covers, usages};
use dockeropt_facts::{Base, Facts, Value};
use dockeropt_syntax::shell::{List, parse as parse_script};
use dockeropt_syntax::{LogicalSpan, parse};

fn script(text: &str) -> List<'_> {
    parse_script(text, LogicalSpan::new(0, text.len())).unwrap()
}

/// A call as `manager verb: packages`, or `program class`.
fn read(text: &str) -> String {
    let list = script(text);
    let simple = list.entries[0].pipeline.simple().unwrap();
    let call = call(simple).unwrap();
    match &call.managed {
        Some(managed) => {
            let words = managed.operands.iter().map(|&at| simple.words[at].literal().unwrap_or("?"));
            let words = words.collect::<Vec<_>>().join(" ");
            format!("{} {:?}: {words}", managed.manager.name(), managed.verb)
        }
        None => format!("{} {:?}", call.program, call.class()),
    }
}

#[test]
fn commands() {
    for (text, expected) in [
        ("sudo -E apt-get install x", "apt Install: x"),
        ("sudo -u app -H pip install y", "pip Install: y"),
        ("env A=b pip install x", "pip Install: x"),
        ("python3 -m pip install x", "pip Install: x"),
        ("apt-get -y -o Dpkg::Options::=--force-confold install x", "apt Install: x"),
        ("apt-get install -y -t stable x y=1", "apt Install: x y=1"),
        ("npm --prefix x ci", "npm Install: "),
        ("yum -y install x", "yum Install: x"),
        ("pacman -Syu --noconfirm x", "pacman Install: x"),
        ("pacman -Scc --noconfirm", "pacman Clean: "),
        ("apk add --virtual .deps x", "apk Install: x"),
        ("yarn", "yarn Install: "),
        ("command -v x", "command Some(Quiet)"),
        ("command apt-get update", "apt Update: "),
        ("timeout 5 apt-get update", "apt Update: "),
        ("/usr/bin/make x", "make Some(Build)"),
        ("./tool", "tool None"),
        ("python3 setup.py", "python3 Some(Build)"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn what_scripts_leave_behind() {
    for text in
        ["(cd x)", "a && b", "a | b", "A=1 b", "if a; then b; fi", "nvm ls", "command -v cd", "cat x > y"]
    {
        assert!(leaks(&script(text)).is_empty(), "{text}: {:?}", leaks(&script(text)));
    }
    for text in
        ["cd x", "{ cd x; }", "A=1", "if a; then cd b; fi", "a & b", "{ a & } | b", "time cd x", "f() { a; }"]
    {
        assert!(!leaks(&script(text)).is_empty(), "{text}");
    }
}

#[test]
fn uses_of_the_index() {
    let apt = |text: &str| {
        let found = usages(&script(text), text, Manager::Apt);
        let uses = found.iter().map(|usage| {
            let kind = format!("{:?}", usage.kind);
            let kind = kind.split('(').next().unwrap_or_default().to_owned();
            if usage.conditional { kind + "?" } else { kind }
        });
        uses.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(apt("apt-get update && apt-get install x"), "Update Need");
    assert_eq!(apt("a.sh; test -f x && apt-get update; apt-get install x"), "Unknown Update? Need");
    assert_eq!(apt("true || apt-get update"), "Update?");
    assert_eq!(apt("rm -rf /var/lib/{apt,dpkg}/lists/*"), "Delete");
    assert_eq!(apt("rm -rf '/var/lib/apt/lists/*'"), "");
    assert_eq!(apt("bash -c 'apt-get update'"), "Update");
    assert_eq!(apt("$X install"), "Unknown");
    assert_eq!(apt("make install"), "");
    assert_eq!(apt("make deps"), "Unknown");
    assert_eq!(apt("ansible-playbook -i hosts site.yml"), "Need Unknown");
    assert_eq!(apt("/tmp/provision-web.sh"), "Need Unknown");
    assert_eq!(apt("bash -ex ./provision.sh"), "Need Unknown");
    assert_eq!(apt("ansible --version"), "");
    assert_eq!(apt("/etc/init.d/postgresql start && service nginx stop"), "");
    assert_eq!(apt("/etc/init.d/postgresql \"$DO\"; /app/init.d/x start"), "Unknown Unknown");
}

#[test]
fn paths() {
    assert_eq!(resolve("/bin/../lib/x/"), "/usr/lib/x");
    assert_eq!(resolve("/var/run/x"), "/run/x");
    assert!(is_private("/app") && is_private("/usr/src/app/x") && is_private("/code"));
    assert!(!is_private("/") && !is_private("/opt/x") && !is_private("/home/x") && !is_private("/lib/x"));
    assert_eq!(alternatives("/a/{b,c}/{d,e}").len(), 4);
    assert!(
        covers("/var/lib/apt/*", "/var/lib/apt/lists") && !covers("/*", "/var") && !covers("/va*", "/var")
    );
}

#[test]
fn scope_of_variables() {
    let text = "ARG G=1\nARG H\nFROM debian AS Base\nARG G\nARG G2=$G\nENV E=$G F=$E\nENV K=1\nENV L=$K M=x$L\nFROM base AS child\n\
        COPY --from=BASE a b\nCOPY --from=0 a b\nRUN x\nFROM other\nRUN x\n";
    let file = parse(text);
    assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
    let facts = Facts::new(&file);
    let [base, child, other] = &facts.stages[..] else { panic!("three stages") };
    assert_eq!(base.end.argument("G").unwrap().default.as_deref(), Some("1"));
    assert_eq!(base.end.argument("G2").unwrap().default.as_deref(), Some("1"));
    assert_eq!(base.end.argument("H"), None);
    assert_eq!(base.end.variable("E").unwrap().text(), None, "a build may set it");
    assert_eq!(base.end.variable("L"), Some(&Value::known("1")));
    assert_eq!(base.end.variable("M").unwrap().text(), None, "L is not set before its own instruction");
    assert_eq!(child.base, Base::Stage(0));
    assert_eq!(child.end.variable("L"), Some(&Value::known("1")));
    assert!(child.end.argument("G").is_some(), "a child has its parent's arguments");
    assert!(other.end.argument("G").is_none() && other.end.env.is_empty());
    assert_eq!(base.readers, [1, 1]);
    assert_eq!(base.children, [1]);
    assert!(other.in_image && !base.in_image);
}

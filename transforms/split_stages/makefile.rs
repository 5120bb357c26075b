//! Whether a project is built in its own folder alone, as far as its Makefile or CMakeLists.txt shows.

use super::built::needs_compilers_library;

/// Targets that nobody makes who doesn't name them. Those that a RUN names are looked at there.
const SIDE: [&str; 8] = ["install", "uninstall", "clean", "distclean", "dist", "check", "test", "deb"];

/// What a Makefile does outside of the folder, or takes from the compiler's packages, as the end of a sentence;
/// `None` if it does nothing of the kind.
pub(super) fn elsewhere(text: &str) -> Option<String> {
    let outside = variables_outside(text);
    let mut is_side = false;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut words = line.split(|c: char| c.is_whitespace() || "=;&|\"'()".contains(c));
        if let Some(word) = words.find(|word| needs_compilers_library(word)) {
            return Some(format!("has {word}, which needs a library of the compiler"));
        }
        if !line.starts_with('\t') {
            let includes = ["include ", "-include ", "sinclude "].iter().any(|start| line.starts_with(start));
            // The files of dependencies that the compiler writes.
            if includes && !line.contains(".d") && !line.contains("DEP") {
                return Some("includes another file".to_owned());
            }
            let rule =
                line.split_once(':').filter(|(start, end)| !end.starts_with('=') && !start.contains('='));
            if let Some((targets, needs)) = rule {
                let is_named = |target: &str| SIDE.iter().any(|side| target.starts_with(side));
                is_side = !targets.trim().is_empty() && targets.split_whitespace().all(is_named);
                if !is_side && needs.split_whitespace().any(|need| need.starts_with("install")) {
                    return Some("installs what it builds".to_owned());
                }
            }
            continue;
        }
        if is_side {
            continue;
        }
        let command = line.trim_start().trim_start_matches(['@', '-', '+']);
        let program = command.split_whitespace().next().unwrap_or_default();
        if matches!(program, "install" | "ldconfig" | "sudo" | "$(INSTALL)" | "${INSTALL}") {
            return Some(format!("calls {program}"));
        }
        let mut words = line.split(|c: char| c.is_whitespace() || "=;&|\"'(){}>$".contains(c));
        if let Some(word) = words.find(|word| is_outside(word) || outside.contains(word)) {
            return Some(format!("names {word} in a command"));
        }
    }
    None
}

/// The variables that name a place outside of the folder.
fn variables_outside(text: &str) -> Vec<&str> {
    let mut outside = vec!["DESTDIR", "HOME", "PREFIX", "bindir", "prefix"];
    for line in text.lines().filter(|line| !line.starts_with(['\t', '#'])) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim_end_matches([':', '?', '+']).trim().trim_start_matches("export ");
        let mut words = value.split(|c: char| c.is_whitespace() || "\"'(){}$/".contains(c));
        if value.split_whitespace().any(is_outside) || words.any(|word| outside.contains(&word)) {
            outside.push(name);
        }
    }
    outside
}

/// Whether a word is a path outside of the folder, other than of a program or of what to compile with.
fn is_outside(word: &str) -> bool {
    const SYSTEM: [&str; 6] = ["/bin/", "/dev/null", "/usr/bin/", "/usr/include", "/usr/lib/", "//"];
    word.starts_with('/') && !SYSTEM.iter().any(|start| word.starts_with(start))
}

/// Whether a Makefile has others do a part of the work.
pub(super) fn is_recursive(text: &str) -> bool {
    text.contains("$(MAKE)") || text.contains("${MAKE}") || text.contains("make -C")
}

/// The same for a CMakeLists.txt.
pub(super) fn elsewhere_by_cmake(text: &str) -> Option<String> {
    const LIBRARIES: [&str; 5] = ["OpenMP", "-fopenmp", "-fsanitize", "Fortran", "--coverage"];
    if let Some(word) = LIBRARIES.iter().find(|word| text.contains(**word)) {
        return Some(format!("has {word}, which needs a library of the compiler"));
    }
    if text.contains("ExternalProject") {
        return Some("builds other projects, which may lie elsewhere".to_owned());
    }
    let says_where = |line: &str| {
        line.contains("OUTPUT_DIRECTORY")
            && [" /", "\"/", "ENV{"].iter().any(|outside| line.contains(outside))
    };
    text.lines().any(says_where).then(|| "says where to build".to_owned())
}

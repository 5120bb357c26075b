//! Bundler and Composer.

use super::{assumes, declines, rewrites, with};

fn dockerfile(run: &str) -> String {
    format!("FROM example.com/tools\nWORKDIR /app\nCOPY . .\nRUN {run}\n")
}

fn result(copies: &str, run: &str) -> String {
    format!("FROM example.com/tools\nWORKDIR /app\n{copies}RUN {run}\nCOPY . .\n")
}

const BUNDLER: &[(&str, &str)] = &[
    ("config.ru", ""),
    (
        "Gemfile",
        "source \"https://rubygems.org\"\nruby file: \".ruby-version\"\n\ngem \"rack\", \"~> 3.0\", require: false # path\ngroup :test do\n  gem 'minitest'\nend\n",
    ),
    ("Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (3.0.9)\n"),
    (".ruby-version", "3.3.0\n"),
];
const GEMS: &str = "COPY Gemfile Gemfile.lock .ruby-version ./\n";

#[test]
fn bundler() {
    for run in [
        "bundle install --deployment --jobs 4",
        "bundle config set --local deployment true && bundle install -j4",
        "bundle config set frozen true && bundle config set --local path vendor/bundle && bundle install",
    ] {
        rewrites(BUNDLER, &dockerfile(run), &result(GEMS, run));
    }
    let set = dockerfile("bundle").replace("WORKDIR", "ENV BUNDLE_DEPLOYMENT=1\nWORKDIR");
    rewrites(BUNDLER, &set, &result(GEMS, "bundle").replace("WORKDIR", "ENV BUNDLE_DEPLOYMENT=1\nWORKDIR"));
    let run = "gem install bundler && bundle install --without development test";
    assumes(BUNDLER, &dockerfile(run), &result(GEMS, run), "as with the setting frozen");
}

#[test]
fn bundler_without_the_lock_being_kept() {
    assumes(
        BUNDLER,
        &dockerfile("bundle install"),
        &result(GEMS, "bundle install"),
        "as with the setting frozen",
    );
    let without: Vec<_> = BUNDLER.iter().filter(|(path, _)| *path != "Gemfile.lock").copied().collect();
    assumes(
        &without,
        &dockerfile("bundle install"),
        &result("COPY Gemfile .ruby-version ./\n", "bundle install"),
        "there is no Gemfile.lock",
    );
}

#[test]
fn what_bundler_needs_of_the_project() {
    for (text, reason) in [
        ("gemspec\n", "may read the project: gemspec"),
        ("gem 'lib', path: 'lib'\n", "may read the project: path"),
        ("gem 'lib', :path => 'lib'\n", "may read the project: path"),
        ("path 'components' do\n  gem 'lib'\nend\n", "may read the project: path"),
        ("eval_gemfile 'Gemfile.common'\n", "may read the project: eval_gemfile"),
        ("eval(File.read('x'))\n", "may read the project: eval"),
        ("Dir['components/*'].each { |it| gem it }\n", "may read the project: Dir"),
        ("ruby File.read('VERSION')\n", "may read the project: File"),
        ("require_relative 'lib/version'\n", "may read the project: require_relative"),
        ("gem 'x' if system('y')\n", "may read the project: system"),
        ("gem 'x', `cat version`\n", "Gemfile runs a command"),
        ("plugin 'x'\n", "may read the project: plugin"),
        ("gem 'x' if Pathname('y').exist?\n", "may read the project"),
        ("ruby file: '.tool-versions'\n", ".tool-versions is not in the build context"),
    ] {
        declines(&with(BUNDLER, &[("Gemfile", text)]), &dockerfile("bundle install --deployment"), reason);
    }
    for (more, reason) in [
        (&[("Gemfile.lock", "PATH\n  remote: .\n")][..], "Gemfile.lock takes a gem from the project"),
        (&[("vendor/cache/rack.gem", "")], "vendor/cache comes with the project"),
        (&[("vendor/bundle/x", "")], "vendor/bundle comes with the project"),
        (&[(".bundle/config", "")], ".bundle comes with the project"),
        (&[(".dockerignore", "Gemfile\n")], "Gemfile is not in the build context"),
        (&[(".dockerignore", ".ruby-version\n")], ".ruby-version is left out"),
    ] {
        declines(&with(BUNDLER, more), &dockerfile("bundle install --deployment"), reason);
    }
    for (run, reason) in [
        ("bundle install --gemfile=x/Gemfile", "what the option --gemfile reads is not known"),
        ("bundle install --standalone", "what the option --standalone reads is not known"),
        ("bundle install --binstubs", "what the option --binstubs reads is not known"),
        ("bundle install --local", "it takes gems that are there already"),
        ("bundle config set local.rack ./rack && bundle install", "where the Gemfile or a gem is"),
        ("bundle exec rake x && bundle install", "before the install, may read the project"),
    ] {
        declines(BUNDLER, &dockerfile(run), reason);
    }
}

const COMPOSER: &[(&str, &str)] = &[
    ("index.php", ""),
    ("composer.json", r#"{"require": {"monolog/monolog": "^3"}, "autoload": {"psr-4": {"App\\": "src/"}}}"#),
    (
        "composer.lock",
        r#"{"packages": [{"name": "monolog/monolog", "version": "3.5.0", "type": "library"}]}"#,
    ),
];
const PHP: &str = "COPY composer.json composer.lock ./\n";

#[test]
fn composer() {
    for run in [
        "composer install --no-dev --no-interaction --prefer-dist",
        "composer install --no-scripts --no-autoloader",
        "composer install && composer clear-cache",
    ] {
        rewrites(COMPOSER, &dockerfile(run), &result(PHP, run));
    }
    let run = "composer install --no-scripts --no-autoloader && composer dump-autoload -o";
    rewrites(
        COMPOSER,
        &dockerfile(run),
        "FROM example.com/tools\nWORKDIR /app\nCOPY composer.json composer.lock ./\nRUN composer install --no-scripts --no-autoloader\nCOPY . .\nRUN composer dump-autoload -o\n",
    );
    let prepared = |run: &str| {
        format!(
            "FROM example.com/tools\nWORKDIR /app\n{PHP}RUN {run} --no-scripts --no-autoloader\nCOPY . .\nRUN {run}\n"
        )
    };
    let run = "composer install --no-dev --optimize-autoloader";
    assumes(COMPOSER, &dockerfile(run), &prepared(run), "runs in addition");
    for manifest in [
        r#"{"scripts": {"post-autoload-dump": ["@php artisan package:discover"]}}"#,
        r#"{"autoload": {"classmap": ["database"]}}"#,
        r#"{"config": {"optimize-autoloader": true}}"#,
    ] {
        assumes(
            &with(COMPOSER, &[("composer.json", manifest)]),
            &dockerfile("composer install"),
            &prepared("composer install"),
            "runs in addition",
        );
    }
    let plugin = r#"{"packages": [{"name": "symfony/flex", "type": "composer-plugin"}]}"#;
    let run = "composer install";
    assumes(
        &with(COMPOSER, &[("composer.lock", plugin)]),
        &dockerfile(run),
        &result(PHP, run),
        "no plugin of Composer",
    );
    let without: Vec<_> = COMPOSER.iter().filter(|(path, _)| *path != "composer.lock").copied().collect();
    assumes(&without, &dockerfile(run), &result("COPY composer.json ./\n", run), "there is no composer.lock");
}

#[test]
fn what_composer_needs_of_the_project() {
    for (more, reason) in [
        (
            &[("composer.json", r#"{"repositories": [{"type": "path", "url": "packages/*"}]}"#)][..],
            "takes a package from the project",
        ),
        (
            &[("composer.json", r#"{"repositories": [{"type": "artifact", "url": "zips"}]}"#)],
            "takes a package from the project",
        ),
        (
            &[("composer.json", r#"{"repositories": [{"type": "composer", "url": "file:///x"}]}"#)],
            "takes a package from the project",
        ),
        (&[("composer.json", r#"{"config": {"vendor-dir": "lib"}}"#)], "composer.json sets vendor-dir"),
        (&[("composer.json", r#"{"config": {"bin-dir": "bin"}}"#)], "composer.json sets bin-dir"),
        (&[("composer.json", "{")], "composer.json is not understood"),
        (
            &[(
                "composer.lock",
                r#"{"packages": [{"name": "a/b", "dist": {"type": "path", "url": "packages/b"}}]}"#,
            )],
            "composer.lock takes a package",
        ),
        (
            &[(
                "composer.lock",
                r#"{"packages-dev": [{"name": "a/b", "dist": {"type": "path", "url": "packages/b"}}]}"#,
            )],
            "composer.lock takes a package",
        ),
        (&[("composer.lock", "[")], "composer.lock is not understood"),
        (&[("vendor/autoload.php", "")], "vendor of the build context would overwrite"),
        (&[(".dockerignore", "composer.json\n")], "composer.json is left out"),
    ] {
        declines(&with(COMPOSER, more), &dockerfile("composer install"), reason);
    }
    for (run, reason) in [
        ("composer install --working-dir=api", "what the option --working-dir reads is not known"),
        ("composer install -d api", "what the option -d reads is not known"),
        ("./composer.phar install", "the program ./composer.phar comes with the project"),
        ("php artisan x && composer install", "before the install, may read the project"),
        ("COMPOSER=other.json composer install", "given variables"),
        ("composer install $FLAGS", "decided when the image is built"),
        ("composer install || true", "not just joined by &&"),
    ] {
        declines(COMPOSER, &dockerfile(run), reason);
    }
    declines(
        COMPOSER,
        &dockerfile("composer install").replace("COPY", "ENV COMPOSER=./other.json\nCOPY"),
        "COMPOSER names a file",
    );
}

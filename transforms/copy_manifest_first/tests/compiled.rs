//! Go, Cargo, Maven, Gradle and .NET.

use super::super::CopyManifestFirst;
use super::{assumes, declines, rewrites, with};
use crate::testing::ignores;

fn dockerfile(run: &str) -> String {
    format!("FROM example.com/tools AS build\nWORKDIR /src\nCOPY . .\nRUN {run}\n")
}

fn result(copies: &str, run: &str) -> String {
    format!("FROM example.com/tools AS build\nWORKDIR /src\n{copies}RUN {run}\nCOPY . .\n")
}

fn prepared(copies: &str, added: &str, run: &str) -> String {
    format!("FROM example.com/tools AS build\nWORKDIR /src\n{copies}RUN {added}\nCOPY . .\nRUN {run}\n")
}

const GO: &[(&str, &str)] = &[
    ("main.go", ""),
    ("go.mod", "module example.com/app\n\ngo 1.22\n\nrequire (\n\tgithub.com/google/uuid v1.6.0\n)\n"),
    ("go.sum", "github.com/google/uuid v1.6.0 h1:x\n"),
];
const GO_COPIES: &str = "COPY go.mod go.sum ./\n";

#[test]
fn go() {
    rewrites(GO, &dockerfile("go mod download"), &result(GO_COPIES, "go mod download"));
    rewrites(
        GO,
        &dockerfile("go mod download && CGO_ENABLED=0 go build -o /bin/app ./cmd/app"),
        "FROM example.com/tools AS build\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /bin/app ./cmd/app\n",
    );
    for run in [
        "go build -o /bin/app .",
        "CGO_ENABLED=0 GOARCH=$TARGETARCH go build -ldflags \"-X main.version=$VERSION\" -o /bin/app ./cmd/app",
        "go install ./...",
        "--mount=type=cache,target=/root/.cache/go-build go build .",
    ] {
        let flags =
            if run.starts_with("--") { "--mount=type=cache,target=/root/.cache/go-build " } else { "" };
        assumes(
            GO,
            &dockerfile(run),
            &prepared(GO_COPIES, &format!("{flags}go mod download"), run),
            "can fetch every module in go.mod, also those that only tests need",
        );
    }
    let below: Vec<(String, &str)> = GO.iter().map(|(path, text)| (format!("api/{path}"), *text)).collect();
    let below: Vec<(&str, &str)> = below.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    rewrites(
        &below,
        &dockerfile("cd api && go mod download"),
        &result("COPY api/go.mod api/go.sum ./api/\n", "cd api && go mod download"),
    );
    let tool = "go install example.com/tool@v1.2.3 && go mod download";
    rewrites(GO, &dockerfile(tool), &result(GO_COPIES, tool));
}

#[test]
fn what_go_needs_of_the_project() {
    for (more, reason) in [
        (&[("go.mod", "module a\nrequire b v1.0.0\nreplace b => ../b\n")][..], "replaces a module by ../b"),
        (
            &[("go.mod", "module a\nrequire b v1.0.0\nreplace (\n\tb v1.0.0 => ./b\n)\n")],
            "replaces a module by ./b",
        ),
        (&[("go.mod", "module a\nrequire b v1.0.0\nreplace b => /src/b\n")], "replaces a module by /src/b"),
        (&[("go.mod", "module a\nrequire b v1.0.0\nreplace b => \"../b\"\n")], "replaces a module by"),
        (&[("vendor/modules.txt", "")], "the modules come with the project, in vendor"),
        (&[("go.work", "use .\n")], "go.work names several modules"),
        (&[(".dockerignore", "go.sum\n")], "go.sum is not in the build context"),
        (&[(".dockerignore", "go.*\n")], "go.mod is not in the build context"),
    ] {
        declines(&with(GO, more), &dockerfile("go build ."), reason);
    }
    for (run, reason) in [
        ("go build -mod=vendor .", "what the option -mod=vendor reads is not known"),
        ("go build -modfile=x.mod .", "what the option -modfile=x.mod reads is not known"),
        ("go build -C api .", "what the option -C reads is not known"),
        ("GOFLAGS=-mod=mod go build .", "it sets GOFLAGS"),
        ("GOPROXY=off go build .", "it sets GOPROXY"),
        ("go generate ./... && go build .", "`go generate ./...`, before the install, may read the project"),
        ("cd cmd && go build .", "it changes the working folder"),
        ("make && go mod download", "before the install, may read the project"),
        ("go build . ; true", "not just joined by &&"),
    ] {
        declines(GO, &dockerfile(run), reason);
    }
    for setting in ["GOFLAGS=-mod=vendor", "GO111MODULE=off", "GOWORK=/src/go.work"] {
        let before = dockerfile("go build .").replace("COPY", &format!("ENV {setting}\nCOPY"));
        declines(GO, &before, "may name files of the project");
    }
    declines(GO, &dockerfile("go build .").replace("/src", "/go"), "an install may read or write /go");
    ignores(
        &CopyManifestFirst,
        &[
            "FROM golang\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build .\n",
        ],
    );
}

#[test]
fn go_without_modules() {
    use crate::testing::{Around, declines_in};
    let around = Around::files(&[("go.mod", "module a\n"), ("main.go", "")]);
    let before = "FROM golang\nWORKDIR /src\nCOPY . .\nRUN go build . && ./x\nRUN npm ci\n";
    // Nothing is there to download: the next reason is that of another install.
    declines_in(&CopyManifestFirst, &around, before, "package.json");
}

const CARGO: &[(&str, &str)] = &[
    ("src/main.rs", "fn main() {}"),
    (
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n",
    ),
    ("Cargo.lock", "version = 3\n"),
];

#[test]
fn cargo() {
    let added = |build: &str, clean: &str| {
        format!(
            "mkdir src && echo 'fn main() {{}}' > src/main.rs && cargo build{build} && cargo clean{clean} -p app && rm -r src"
        )
    };
    for (run, build, clean) in [
        ("cargo build --release", " --release", " --release"),
        ("cargo build --release --locked --features a,b", " --release --locked --features a,b", " --release"),
        ("cargo install --path .", " --release", " --release"),
        ("cargo build", "", ""),
        (
            "cargo build --release --target x86_64-unknown-linux-musl",
            " --release --target x86_64-unknown-linux-musl",
            " --release --target x86_64-unknown-linux-musl",
        ),
    ] {
        assumes(
            CARGO,
            &dockerfile(run),
            &prepared("COPY Cargo.toml Cargo.lock ./\n", &added(build, clean), run),
            "`mkdir src` and 4 more runs in addition",
        );
    }
    let library =
        with(CARGO, &[("src/lib.rs", ""), ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80\"\n")]);
    assumes(
        &library,
        &dockerfile("cargo build --release"),
        &prepared(
            "COPY Cargo.toml Cargo.lock rust-toolchain.toml ./\n",
            "mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs && cargo build --release && cargo clean --release -p app && rm -r src",
            "cargo build --release",
        ),
        "compiled alike for an empty program",
    );
}

#[test]
fn what_cargo_needs_of_the_project() {
    let package = "[package]\nname = \"app\"\nversion = \"0.1.0\"\n";
    for (more, reason) in [
        ("build = \"build.rs\"\n", "Cargo.toml sets build"),
        ("default-run = \"x\"\n", "Cargo.toml sets default-run"),
        ("autobins = false\n", "Cargo.toml sets autobins"),
        ("[workspace]\nmembers = [\"a\"]\n", "is of a workspace"),
        ("[[bin]]\nname = \"x\"\npath = \"x.rs\"\n", "says where the sources of a bin are"),
        ("[[bench]]\nname = \"x\"\n", "says where the sources of a bench are"),
        ("[[example]]\nname = \"x\"\n", "says where the sources of a example are"),
        ("[lib]\npath = \"lib.rs\"\n", "says where the sources of the library are"),
        ("[lib]\nproc-macro = true\n", "says where the sources of the library are"),
        ("[dependencies]\nlib = { path = \"lib\" }\n", "takes lib from the project"),
        ("[dependencies.lib]\npath = \"lib\"\n", "takes lib from the project"),
        ("[build-dependencies]\nlib = { path = \"lib\" }\n", "takes lib from the project"),
        ("[target.'cfg(unix)'.dependencies]\nlib = { path = \"lib\" }\n", "takes lib from the project"),
        ("[patch.crates-io]\nlib = { path = \"lib\" }\n", "takes lib from the project"),
        ("[dependencies]\nlib = { workspace = true }\n", "takes lib from the project"),
    ] {
        let text = format!("{package}{more}");
        declines(&with(CARGO, &[("Cargo.toml", &text)]), &dockerfile("cargo build --release"), reason);
    }
    for (more, reason) in [
        (&[("build.rs", "fn main() {}")][..], "build.rs takes part in the build"),
        (&[(".cargo/config.toml", "")], ".cargo takes part in the build"),
        (&[("vendor/serde/Cargo.toml", "")], "vendor takes part in the build"),
        (&[("target/release/app", "")], "target of the build context would overwrite"),
        (&[("rust-toolchain.toml", "[toolchain]\npath = \"x\"\n")], "rust-toolchain.toml sets a path"),
        (&[(".dockerignore", "Cargo.lock\n")], "Cargo.lock is not in the build context"),
        (&[(".dockerignore", "src/main.rs\n")], "neither src/main.rs nor src/lib.rs"),
        (&[("Cargo.toml", "[dependencies\n")], "Cargo.toml is not understood"),
    ] {
        declines(&with(CARGO, more), &dockerfile("cargo build --release"), reason);
    }
    for (run, reason) in [
        ("cargo fetch --locked", "cargo fetches only where it finds the sources"),
        ("cargo build --profile dist", "what the option --profile reads is not known"),
        ("cargo build --manifest-path x/Cargo.toml", "what the option --manifest-path reads is not known"),
        ("cargo build --release --target $TARGET", "decided when the image is built"),
        ("RUSTFLAGS='-C target-cpu=native' cargo build", "it sets RUSTFLAGS"),
        ("cargo test && cargo build --release", "before the install, may read the project"),
    ] {
        declines(CARGO, &dockerfile(run), reason);
    }
}

const MAVEN: &[(&str, &str)] = &[
    ("src/main/java/App.java", ""),
    (
        "pom.xml",
        "<project><version>1-SNAPSHOT</version><dependencies><dependency><version>1.2</version></dependency></dependencies></project>",
    ),
];

#[test]
fn maven() {
    assumes(
        MAVEN,
        &dockerfile("mvn -B -DskipTests clean package"),
        &prepared("COPY pom.xml ./\n", "mvn -B dependency:go-offline", "mvn -B -DskipTests clean package"),
        "`dependency:go-offline` can fetch all that it looks for",
    );
    let wrapped = with(MAVEN, &[("mvnw", "#!/bin/sh"), (".mvn/wrapper/maven-wrapper.properties", "")]);
    assumes(
        &wrapped,
        &dockerfile("./mvnw package"),
        &prepared(
            "COPY pom.xml mvnw ./\nCOPY .mvn/wrapper/maven-wrapper.properties ./.mvn/wrapper/\n",
            "./mvnw dependency:go-offline",
            "./mvnw package",
        ),
        "runs in addition",
    );
    assumes(
        &[("pom.xml", "<project><version>[1,2)</version></project>")],
        &dockerfile("mvn dependency:go-offline && mvn package"),
        "FROM example.com/tools AS build\nWORKDIR /src\nCOPY pom.xml ./\nRUN mvn dependency:go-offline\nCOPY . .\nRUN mvn package\n",
        "no newer version of a library",
    );
    rewrites(
        &[("pom.xml", "<project></project>"), ("settings.xml", "<settings/>")],
        &dockerfile("mvn -s settings.xml dependency:resolve"),
        &result("COPY pom.xml settings.xml ./\n", "mvn -s settings.xml dependency:resolve"),
    );
}

#[test]
fn what_maven_needs_of_the_project() {
    for (text, reason) in [
        ("<modules><module>a</module></modules>", "pom.xml has modules"),
        ("<systemPath>lib/x.jar</systemPath>", "takes a library from a path"),
        ("<relativePath>../pom.xml</relativePath>", "may name another pom"),
        ("<url>file://${basedir}/repo</url>", "may take something from the project"),
        ("<activation><file><exists>x</exists></file></activation>", "acts by what it finds"),
    ] {
        declines(&with(MAVEN, &[("pom.xml", text)]), &dockerfile("mvn package"), reason);
    }
    for (run, reason) in [
        ("mvn -o package", "what the option -o reads is not known"),
        ("mvn -f api/pom.xml package", "what the option -f reads is not known"),
        ("mvn -pl api package", ""),
        ("mvn -Dmaven.repo.local=.m2 package", "says where the repository is"),
        ("mvn -P prod package", "behind a space"),
        ("mvn -s settings.xml package", "settings.xml is not in the build context"),
        ("./mvnw package", "the program ./mvnw comes with the project"),
        ("./build/mvn package", "the program ./build/mvn comes with the project"),
        ("make && mvn package", "before the install, may read the project"),
        ("MAVEN_ARGS=-o mvn package", "it sets MAVEN_ARGS"),
        ("mvn package || true", "not just joined by &&"),
    ] {
        if !reason.is_empty() {
            declines(MAVEN, &dockerfile(run), reason);
        }
    }
    declines(&[("src/App.java", "")], &dockerfile("mvn package"), "pom.xml is not in the build context");
    declines(
        &with(MAVEN, &[(".dockerignore", "*.xml\n")]),
        &dockerfile("mvn package"),
        "pom.xml is left out",
    );
    declines(
        &[("pom.xml", ""), ("api/pom.xml", "<parent></parent>")],
        &dockerfile("cd api && mvn package"),
        "may have a parent in the project",
    );
    declines(
        &with(MAVEN, &[("settings.xml", "<localRepository>/src/m2</localRepository>")]),
        &dockerfile("mvn --settings=settings.xml package"),
        "says where the repository is",
    );
}

const GRADLE: &[(&str, &str)] = &[
    ("settings.gradle", "rootProject.name = 'app'\n"),
    (
        "build.gradle",
        "plugins { id 'java' }\ndependencies { implementation 'com.google.guava:guava:33.0.0-jre' }\n",
    ),
    ("gradlew", "#!/bin/sh"),
    ("gradle/wrapper/gradle-wrapper.properties", ""),
    ("gradle/wrapper/gradle-wrapper.jar", ""),
    ("gradle/libs.versions.toml", ""),
];

#[test]
fn gradle() {
    let copies = "COPY settings.gradle build.gradle ./\nCOPY gradle/libs.versions.toml ./gradle/\nCOPY gradle/wrapper/gradle-wrapper.jar gradle/wrapper/gradle-wrapper.properties ./gradle/wrapper/\n";
    let with_wrapper = copies.replace("build.gradle ./", "build.gradle gradlew ./");
    assumes(
        GRADLE,
        &dockerfile("./gradlew bootJar --no-daemon"),
        &prepared(&with_wrapper, "./gradlew dependencies --no-daemon", "./gradlew bootJar --no-daemon"),
        "the build scripts do the same without the sources",
    );
    assumes(
        GRADLE,
        &dockerfile("gradle build -x test"),
        &prepared(copies, "gradle dependencies", "gradle build -x test"),
        "runs in addition",
    );
    assumes(
        GRADLE,
        &dockerfile("gradle dependencies"),
        &result(copies, "gradle dependencies"),
        "no newer version",
    );
}

#[test]
fn what_gradle_needs_of_the_project() {
    for (text, reason) in [
        ("dependencies { implementation files('libs/x.jar') }", "may read the project: file"),
        ("dependencies { implementation fileTree(dir: 'libs') }", "fileTree"),
        ("dependencies { implementation project(':core') }", "project"),
        ("apply from: 'versions.gradle'", "apply from"),
        ("version = file('VERSION').text", "file"),
        ("version = new File('VERSION').text", "File"),
        ("def v = 'git describe'.execute().text", "exec"),
        ("repositories { flatDir { dirs 'libs' } }", "flatDir"),
        ("repositories { mavenLocal() }", "mavenLocal"),
        ("id 'com.palantir.git-version'", "git"),
    ] {
        declines(&with(GRADLE, &[("build.gradle", text)]), &dockerfile("gradle build"), reason);
    }
    for (more, reason) in [
        (&[("settings.gradle", "include 'core'\n")][..], "settings.gradle may read the project: include"),
        (&[("settings.gradle", "includeBuild 'logic'\n")], "includeBuild"),
        (&[("buildSrc/build.gradle", "")], "buildSrc is compiled for the build"),
        (&[("build-logic/settings.gradle", "")], "build-logic is compiled for the build"),
        (&[(".gradle/x", "")], ".gradle of the build context would overwrite"),
        (&[("build/libs/app.jar", "")], "build of the build context would overwrite"),
        (&[(".dockerignore", "*.gradle\n")], "build.gradle is not in the build context"),
    ] {
        declines(&with(GRADLE, more), &dockerfile("gradle build"), reason);
    }
    for (run, reason) in [
        ("gradle build --offline", "what the option --offline reads is not known"),
        ("gradle build -p core", "what the option -p reads is not known"),
        ("gradle build --init-script x.gradle", "what the option --init-script reads is not known"),
        ("./build/gradlew build", "the program ./build/gradlew comes with the project"),
        ("GRADLE_OPTS=x gradle build", "it sets GRADLE_OPTS"),
    ] {
        declines(GRADLE, &dockerfile(run), reason);
    }
}

const DOTNET: &[(&str, &str)] = &[
    (
        "App.sln",
        "Project(\"{FAE0}\") = \"Api\", \"src\\Api\\Api.csproj\", \"{1}\"\nProject(\"{FAE0}\") = \"Core\", \"src\\Core\\Core.csproj\", \"{2}\"\n",
    ),
    (
        "src/Api/Api.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup><ProjectReference Include=\"..\\Core\\Core.csproj\" /><PackageReference Include=\"Serilog\" Version=\"3.1.1\" /></ItemGroup></Project>",
    ),
    ("src/Core/Core.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"></Project>"),
    ("src/Api/Program.cs", ""),
    ("Directory.Build.props", "<Project></Project>"),
    ("global.json", "{}"),
];

#[test]
fn dotnet() {
    let projects = "COPY src/Api/Api.csproj ./src/Api/\nCOPY src/Core/Core.csproj ./src/Core/\n";
    rewrites(
        DOTNET,
        &dockerfile("dotnet restore"),
        &result(
            "COPY App.sln global.json Directory.Build.props ./\nCOPY src/Api/Api.csproj ./src/Api/\nCOPY src/Core/Core.csproj ./src/Core/\n",
            "dotnet restore",
        ),
    );
    rewrites(
        DOTNET,
        &dockerfile(
            "dotnet restore src/Api/Api.csproj && dotnet publish src/Api/Api.csproj -c Release --no-restore",
        ),
        &format!(
            "FROM example.com/tools AS build\nWORKDIR /src\n{projects}COPY global.json Directory.Build.props ./\nRUN dotnet restore src/Api/Api.csproj\nCOPY . .\nRUN dotnet publish src/Api/Api.csproj -c Release --no-restore\n"
        ),
    );
    let run = "dotnet publish src/Api -c Release -o /out -r linux-x64 /p:UseAppHost=false";
    assumes(
        DOTNET,
        &dockerfile(run),
        &prepared(
            &format!("{projects}COPY global.json Directory.Build.props ./\n"),
            "dotnet restore src/Api -r linux-x64",
            run,
        ),
        "`dotnet restore src/Api -r linux-x64` runs in addition",
    );
    let floating = "<Project><PackageReference Include=\"Serilog\" Version=\"3.*\" /></Project>";
    assumes(
        &[("App.csproj", floating)],
        &dockerfile("dotnet restore"),
        &result("COPY App.csproj ./\n", "dotnet restore"),
        "App.csproj pins none",
    );
}

#[test]
fn what_dotnet_needs_of_the_project() {
    for (text, reason) in [
        ("<Import Project=\"$(Shared)/x.props\" />", "App.csproj names $(Shared)/x.props"),
        ("<Import Project=\"build/x.targets\" />", "build/x.targets is not in the build context"),
        ("<ProjectReference Include=\"..\\Core\\Core.csproj\" />", "Core.csproj is not in the build context"),
        ("<Import Condition=\"Exists('x')\" />", "acts by what it finds: Exists"),
        ("<V>$([System.IO.File]::ReadAllText('VERSION'))</V>", "acts by what it finds: System.IO"),
        ("<Target Name=\"X\" BeforeTargets=\"Restore\" />", "acts by what it finds"),
    ] {
        declines(&[("App.csproj", text)], &dockerfile("dotnet restore"), reason);
    }
    let one = &[("App.csproj", "<Project></Project>"), ("Program.cs", "")];
    for (more, reason) in [
        (
            &[("nuget.config", "<packageSources><add key=\"l\" value=\"./packages\" /></packageSources>")][..],
            "nuget.config has packages looked for in ./packages",
        ),
        (
            &[("NuGet.Config", "<config><add key=\"globalPackagesFolder\" value=\"x\" /></config>")],
            "says where packages are kept",
        ),
        (&[("obj/project.assets.json", "{}")], "obj of the build context would overwrite"),
        (&[("Other.csproj", "")], "there are several projects"),
        (&[("Directory.Build.rsp", "")], "Directory.Build.rsp sets options"),
        (
            &[("Directory.Build.props", "<Import Project=\"$(X).props\" />")],
            "Directory.Build.props names $(X).props",
        ),
        (&[(".dockerignore", "*.csproj\n")], "no project of .NET is in the build context"),
    ] {
        declines(&with(one, more), &dockerfile("dotnet restore"), reason);
    }
    for (run, reason) in [
        ("dotnet restore --source ./packages", "what the option --source reads is not known"),
        ("dotnet restore --configfile x", "what the option --configfile reads is not known"),
        ("dotnet publish -p:Runtime=x", "does to the restore is not known"),
        ("dotnet publish -a $TARGETARCH", "decided by several options"),
        ("dotnet tool restore && dotnet restore", "before the install, may read the project"),
        ("dotnet restore Missing.csproj", "no project of .NET"),
        ("dotnet restore $PROJECT", "decided when the image is built"),
    ] {
        declines(one, &dockerfile(run), reason);
    }
}

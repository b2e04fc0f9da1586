"""Lists the licences of all packages in this environment, and names those that need a look.

python scripts/licences.py            one line a package: name, version, licence
python scripts/licences.py --check    also fail if a package that fmau needs has a licence that
                                      does not fit Apache-2.0 and is not known in `LOOKED_AT`
"""

import argparse
import re
import sys
from importlib import metadata

UNFIT = re.compile(r"(?<!L)GPL|Proprietary|Commercial|CC-BY-NC", re.I)
"""Licences under which a package cannot be part of an Apache-2.0 program. The LGPL can."""

LOOKED_AT = {
    "krippendorff": "GPL; an oracle of the tests, which no user installs",
    "intel-openmp": "Intel's redistributable runtime; comes with the CPU build of vLLM",
    "intel-cmplr-lib-ur": "Intel's redistributable runtime; comes with the CPU build of vLLM",
}


def licence_of(package: metadata.Distribution) -> str:
    """The licence that a package declares, shortened; "unknown" if it declares none."""
    about = package.metadata
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    declared = about.get("License-Expression") or "; ".join(classifiers) or about.get("License")
    return (declared or "unknown").strip().partition("\n")[0][:80]


def main() -> None:
    """Print the list; exit code 1 if `--check` finds a licence that nobody has looked at."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    licences = {
        package.metadata["Name"].lower(): (package.version, licence_of(package))
        for package in metadata.distributions()
    }
    for name, (version, licence) in sorted(licences.items()):
        print(f"{name} {version}: {licence}")
    unknown = [
        name
        for name, (_, licence) in licences.items()
        if UNFIT.search(licence) and name not in LOOKED_AT
    ]
    if check and unknown:
        sys.exit(f"licences that do not fit Apache-2.0: {', '.join(sorted(unknown))}")


if __name__ == "__main__":
    main()

"""List the packages: `pyproject.toml` cannot look for some in a folder of another name.

Everything else about the package is in `pyproject.toml`.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["neurodecode*"]),
        "neurodecode_kernels",
        *(f"neurodecode_kernels.{name}" for name in find_packages("kernels")),
    ]
)

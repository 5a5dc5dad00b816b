"""Codes of places whose likeness falls off with distance, as OAT's decoder needs them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurodecode.errors import ConfigError

__all__ = ["GridCode", "PositionCode", "gaussian_likeness"]

#: Directions in which the grid's codes hardly vary are left out: their inverse is all rounding.
_FLOOR = 1e-7


def gaussian_likeness(places: Tensor, others: Tensor, sigma: float) -> Tensor:
    """How alike the codes of two places shall be.

    Parameters
    ----------
    places : Tensor of shape (..., n)
        Coordinates along one axis, in cells.
    others : Tensor of shape (m,)
        Coordinates to compare with.
    sigma : float
        Width of the fall-off in cells.

    Returns
    -------
    Tensor of shape (..., n, m)
        ``exp(-d^2 / (2 sigma^2))``.
    """
    return torch.exp(-((places[..., None] - others) ** 2) / (2 * sigma**2))


class PositionCode(nn.Module):
    """Unit vectors for places on one axis; cosines fall off as a Gaussian of the distance.

    OAT fits a table of codes by gradient descent on the squared difference between their cosines
    and the Gaussian. The matrix of wanted cosines is positive definite, so its square root solves
    that problem exactly; places between those of the grid are coded by the same kernel
    (Nystroem), so that objects need not lie on a grid.

    Parameters
    ----------
    n_cells : int
        Cells of the grid, numbered from 0; places may lie anywhere between -0.5 and n - 0.5.
    sigma : float
        Width of the fall-off in cells; 2 in OAT.
    dim : int or None
        Dimensions that are kept, those of largest variance; all that are not rounding by default.

    Raises
    ------
    ConfigError
        If there is nothing to code.

    References
    ----------
    Fang et al. 2024, "Oat: object-level attention transformer for gaze scanpath prediction".
    """

    def __init__(self, n_cells: int, sigma: float = 2.0, dim: int | None = None) -> None:
        super().__init__()
        if n_cells < 1 or sigma <= 0:
            raise ConfigError(
                f"position code of {n_cells} cells and sigma {sigma}: must be above 0"
            )
        cells = torch.arange(n_cells, dtype=torch.float64)
        values, vectors = torch.linalg.eigh(gaussian_likeness(cells, cells, sigma))
        kept = min(int((values > _FLOOR * values[-1]).sum()), dim or n_cells)
        self.sigma, self.dim = sigma, dim or kept
        basis = vectors[:, -kept:] / values[-kept:].sqrt()
        # more dimensions than the grid needs stay zero, so that widths need not follow the grid
        padded = torch.nn.functional.pad(basis, (0, self.dim - kept))
        self.register_buffer("cells", cells, persistent=False)
        self.register_buffer("basis", padded, persistent=False)

    def forward(self, places: Tensor) -> Tensor:
        """Code places.

        Parameters
        ----------
        places : Tensor of shape (...)
            Coordinates in cells.

        Returns
        -------
        Tensor of shape (..., dim)
            Unit vectors, of the default floating type.
        """
        # the inverse root amplifies rounding a thousandfold: double precision inside
        cells, basis = self.cells.double(), self.basis.double()
        codes = gaussian_likeness(places.double(), cells, self.sigma) @ basis
        return torch.nn.functional.normalize(codes, dim=-1).to(torch.get_default_dtype())


class GridCode(nn.Module):
    """Codes of places in a picture: column and row, one after the other.

    Parameters
    ----------
    n_cells : int
        Cells along the longer side of a picture.
    sigma : float
        Width of the fall-off in cells.
    dim : int
        Dimensions for each axis; 86 in OAT.
    """

    def __init__(self, n_cells: int = 14, sigma: float = 2.0, dim: int = 16) -> None:
        super().__init__()
        self.n_cells, self.dim = n_cells, 2 * dim
        self.axis = PositionCode(n_cells, sigma, dim)

    def forward(self, places: Tensor) -> Tensor:
        """Code places.

        Parameters
        ----------
        places : Tensor of shape (..., 2)
            x and y as shares of the picture's longer side, from 0 to 1.

        Returns
        -------
        Tensor of shape (..., 2 * dim)
            Codes.
        """
        return self.axis(places * self.n_cells - 0.5).flatten(-2)

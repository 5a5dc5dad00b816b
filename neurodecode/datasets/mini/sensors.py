"""Where the miniature world's MEG and EEG sensors are, and what a dipole does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import mne

__all__ = ["BRAIN_RADIUS", "HEAD_CENTRE", "STIM_CHANNEL", "gain", "sensor_info"]

#: Centre of the head in head coordinates, in metres: between the electrodes of the montage.
HEAD_CENTRE = np.array([0.0, 0.015, 0.04])
HEAD_RADIUS, BRAIN_RADIUS = 0.095, 0.075
STIM_CHANNEL = "STI 014"

#: A 32-channel cap that is dense at the back of the head.
_EEG = [
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6", "T7", "C3", "Cz", "C4",
    "T8", "CP5", "CP1", "CP2", "CP6", "P7", "P3", "Pz", "P4", "P8", "PO7", "PO3", "PO4", "PO8",
    "O1", "Oz", "O2",
]  # fmt: skip
_N_MEG = 60


def sensor_info(modality: str, sfreq: float) -> mne.Info:
    """Describe the sensors.

    Parameters
    ----------
    modality : {"meg", "eeg"}
        ``meg``: 60 of the 274 axial gradiometers of a 275-channel CTF system, spread evenly;
        ``eeg``: 32 electrodes of the 10-20 system.
    sfreq : float
        Sampling rate in Hz.

    Returns
    -------
    mne.Info
        With positions, and a stim channel at the end.
    """
    import mne

    if modality == "eeg":
        info = mne.create_info([*_EEG, STIM_CHANNEL], sfreq, ["eeg"] * len(_EEG) + ["stim"])
        # `standard_1020` under its new name; the stim channel has no place
        info.set_montage("colin27_1020", on_missing="ignore")
        return info
    helmet = mne.channels.read_meg_canonical_info("ctf275")
    place = np.array([channel["loc"][:3] for channel in helmet["chs"]])
    chosen = _spread(place, _N_MEG)
    names = [helmet["ch_names"][number] for number in chosen]
    info = mne.create_info([*names, STIM_CHANNEL], sfreq, ["mag"] * len(names) + ["stim"])
    for channel, number in zip(info["chs"], chosen, strict=False):
        for key in ("coil_type", "loc", "coord_frame", "kind", "unit"):
            channel[key] = helmet["chs"][number][key]
    # the head sits in the middle of the helmet
    shift = np.eye(4)
    shift[:3, 3] = HEAD_CENTRE - _sphere_centre(place)
    info["dev_head_t"] = mne.transforms.Transform("meg", "head", shift)
    return info


def _spread(place: np.ndarray, n: int) -> list[int]:
    """Choose points far from each other, one after the other (farthest-point sampling)."""
    chosen = [int(np.argmax(place[:, 2]))]
    distance = np.linalg.norm(place - place[chosen[0]], axis=1)
    while len(chosen) < n:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(place - place[chosen[-1]], axis=1))
    return sorted(chosen)


def _sphere_centre(place: np.ndarray) -> np.ndarray:
    """Centre of the sphere that fits the points best."""
    design = np.hstack([2 * place, np.ones((len(place), 1))])
    return np.linalg.lstsq(design, (place**2).sum(axis=1), rcond=None)[0][:3]


def gain(info: mne.Info, place: np.ndarray, orientation: np.ndarray) -> np.ndarray:
    """Compute what dipoles of 1 A m do to the sensors of a spherical head.

    MEG: Sarvas' formula, in which radial dipoles are silent; EEG: four concentric shells.

    Parameters
    ----------
    info : mne.Info
        Sensors, from `sensor_info`.
    place : array of shape (n_dipoles, 3)
        Positions in head coordinates, in metres.
    orientation : array of shape (n_dipoles, 3)
        Unit vectors.

    Returns
    -------
    array of shape (n_channels, n_dipoles)
        Tesla or volt per A m.
    """
    import mne

    with mne.use_log_level("ERROR"):
        head = mne.make_sphere_model(r0=HEAD_CENTRE, head_radius=HEAD_RADIUS)
        sources = mne.setup_volume_source_space(
            pos={"rr": place, "nn": orientation}, sphere_units="m"
        )
        meg = "eeg" not in info.get_channel_types()
        forward = mne.make_forward_solution(
            info, trans=None, src=sources, bem=head, meg=meg, eeg=not meg, mindist=0.0
        )
    free = forward["sol"]["data"].reshape(len(forward["sol"]["data"]), -1, 3)
    if free.shape[1] != len(place):
        raise ValueError(f"{len(place) - free.shape[1]} dipoles lie outside the head")
    return np.einsum("cdk,dk->cd", free, orientation)

"""What is left of a subject that was killed."""

from pathlib import Path

from support.kill import kill_subjects


def test_a_killed_subject_leaves_its_last_open_step_and_its_siblings_alone(tmp_path: Path) -> None:
    """Each of some kills at random moments gives a record with the signal and all started steps; siblings pass."""
    kill_subjects(8, tmp_path, seed=1)

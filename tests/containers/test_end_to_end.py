"""What holds of processes holds of containers: the same tests, on the fixture `stack` of this folder."""

from tests.e2e.test_the_main_job import *  # noqa: F403  its tests

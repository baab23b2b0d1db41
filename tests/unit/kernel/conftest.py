"""Property tests here never fail for being slow: timings belong in bench/."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "dizuo", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("dizuo")

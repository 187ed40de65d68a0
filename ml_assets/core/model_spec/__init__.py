"""ModelSpec: frozen pydantic models of one model's YAML; wrong combinations are refused with the field named."""

from ml_assets.core.model_spec.model import ModelSpec

__all__ = ["ModelSpec"]

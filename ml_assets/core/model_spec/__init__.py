"""The specification of one model: frozen pydantic models of its defs.yaml.

Validation refuses wrong combinations and names the field. Nothing here reads data.
"""

from ml_assets.core.model_spec.model import ModelSpec

__all__ = ["ModelSpec"]

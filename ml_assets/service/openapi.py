"""The description of the service's API, OpenAPI 3.1."""

from importlib.metadata import version
from typing import Any

from ml_assets.core.model_spec import ModelSpec
from ml_assets.service.limits import MAX_REASONS
from ml_assets.service.middleware import SCORE
from ml_assets.service.responses import JSON


def describe_api(spec: ModelSpec, request_schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description of the routes of a model.

    Args:
        spec: the model.
        request_schema: JSON schema of a scoring request.
    """
    reasons = {
        "name": "reasons",
        "in": "query",
        "description": "Number of features to name that most raise the score, or most change the prediction",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_REASONS, "default": 0},
    }
    score = {
        "summary": "Score one row",
        "parameters": [reasons],
        "requestBody": {"required": True, "content": {JSON: {"schema": request_schema}}},
        "responses": {
            "200": _response("The prediction, and the version of the model that made it"),
            "422": _response("The request breaks the contract of the model"),
            "503": _response("No champion or no history is loaded yet"),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Scores of {spec.name}",
            "description": spec.description,
            "version": version("ml_assets"),
        },
        "paths": {
            SCORE: {"post": score},
            "/health": {"get": _probe("Report that the process is alive")},
            "/ready": {"get": _probe("Report the loaded models and their age; 503 until requests can be scored")},
            "/metrics": {"get": _probe("Return the metrics in the text format of Prometheus", "text/plain")},
        },
    }


def _probe(summary: str, media_type: str = JSON) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _response("The response", media_type)}}


def _response(description: str, media_type: str = JSON) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {}}}

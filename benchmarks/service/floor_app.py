"""A bare FastAPI application that scores one row of finished features with XGBoost: the floor of the service.

    python -m benchmarks.service.floor_app MODEL_FILE NAMES_AS_JSON PORT

It validates types and scores with the same booster; it knows no history, no registry and no metrics.
"""

import json
import sys


def floor_app(model_file: str, names: list[str]):
    """Build a bare application: features in, score out."""
    import numpy as np
    import xgboost as xgb
    from fastapi import FastAPI
    from pydantic import create_model

    booster = xgb.Booster(model_file=model_file)
    booster.set_param({"nthread": 1})
    row = create_model("Features", **{name: (float, ...) for name in names})
    app = FastAPI()

    @app.post("/score")
    async def score(features: row) -> dict[str, float]:
        matrix = np.array([[getattr(features, name) for name in names]], dtype=np.float32)
        return {"score": float(booster.inplace_predict(matrix)[0])}

    return app


def serve_floor(model_file: str, names: str, port: int) -> None:
    """Serve the floor on a port, with the same server as the service."""
    from ml_assets.service.server.run import run_server

    run_server(floor_app(model_file, json.loads(names)), "127.0.0.1", port)


if __name__ == "__main__":
    serve_floor(sys.argv[1], sys.argv[2], int(sys.argv[3]))

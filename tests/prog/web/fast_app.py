"""The paths of the request tests by FastAPI."""
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

app = FastAPI()
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


@app.api_route("/size/{n}/{i}", methods=METHODS)
async def size(n: int, i: str, request: Request):
    await request.body()
    return Response(b"x" * n)


@app.api_route("/chunked/{n}/{i}", methods=METHODS)
async def chunked(n: int, i: str, request: Request):
    await request.body()
    return StreamingResponse(iter([b"x" * min(700, n - at) for at in range(0, n, 700)]))


@app.api_route("/status/{n}/{i}", methods=METHODS)
async def status(n: int, i: str, request: Request):
    await request.body()
    return Response(status_code=n)

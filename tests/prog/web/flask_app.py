"""The paths of the request tests by Flask."""
import flask

app = flask.Flask(__name__)
METHODS = ["GET", "POST", "PUT", "DELETE"]


@app.route("/size/<int:n>/<i>", methods=METHODS)
def size(n, i):
    flask.request.get_data()
    return flask.Response(b"x" * n)


@app.route("/chunked/<int:n>/<i>", methods=METHODS)
def chunked(n, i):
    flask.request.get_data()
    return flask.Response(b"x" * min(700, n - at) for at in range(0, n, 700))


@app.route("/status/<int:n>/<i>", methods=METHODS)
def status(n, i):
    flask.request.get_data()
    return flask.Response(status=n)

"""Speaks to itself: TCP over IPv4 and IPv6, a Unix socket, a pair, and a port where nobody is."""
import socket


def talk(listener):
    client = socket.socket(listener.family)
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    server.recv(1000)
    server.sendmsg([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 2\r\n\r\n", b"ok"])
    client.recv(1000)
    client.close()
    server.recv(1)
    server.close()
    listener.close()


def listening(family, address):
    s = socket.socket(family)
    s.bind(address)
    s.listen()
    return s


talk(listening(socket.AF_INET, ("127.0.0.1", 0)))
talk(listening(socket.AF_INET6, ("::1", 0)))
talk(listening(socket.AF_UNIX, "\0utrace"))
a, b = socket.socketpair()
a.send(b"to b")
b.recv(10)
free = listening(socket.AF_INET, ("127.0.0.1", 0))
address = free.getsockname()
free.close()
try:
    socket.create_connection(address)
except ConnectionRefusedError:
    pass

#!/usr/bin/python3
"""A native client of Azure Bastion, on Debian's python3-requests and python3-websocket.

It was written from the description of the protocol alone and shares nothing with azlin's own client, so that a mistake
about the protocol is not made twice. It is a ProxyCommand for ssh: standard input and output are the connection.

    tunnel.py --bastion HOST --resource ID --token-file FILE [--ca FILE] [--port 22]

Exit codes: 0 the connection ended, 2 wrong usage, 3 the Bastion refused, 4 the target was not reached.
"""

import argparse
import os
import ssl
import sys
import threading
import urllib.parse

import requests
import websocket

CHUNK = 4096
REFUSED, NOT_REACHED = 3, 4


class Refused(Exception):
    """The Bastion said no."""


def message(response):
    try:
        return response.json().get("message", "")
    except ValueError:
        return response.text[:200]


class Client:
    """One tunnel: its tokens and its websocket."""

    def __init__(self, args):
        self.args = args
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies, and no other certificates
        self.session.verify = args.ca or True
        self.auth = self.node = ""

    def tokens(self):
        """Asks for what one connection needs."""
        with open(self.args.token_file, encoding="ascii") as f:
            aztoken = f.read().strip()
        form = {
            "resourceId": self.args.resource,
            "protocol": "tcptunnel",
            "workloadHostPort": self.args.port,
            "aztoken": aztoken,
        }
        if self.auth:
            form["token"] = self.auth
        if self.args.hostname:
            form["hostname"] = self.args.hostname
        headers = {"X-Node-Id": self.node} if self.node else {}
        response = self.session.post(
            "https://%s/api/tokens" % self.args.bastion, data=form, headers=headers, timeout=30, allow_redirects=False
        )
        if response.status_code != 200:
            raise Refused("tokens: status %d: %s" % (response.status_code, message(response)))
        answer = response.json()
        self.auth, self.node = answer["authToken"], answer["nodeId"]
        return answer["websocketToken"]

    def connect(self):
        """Opens the websocket."""
        if self.args.twice:
            self.tokens()  # so that the next request goes on with a token
        token = self.tokens()
        if self.args.websocket_token:
            token = self.args.websocket_token
        node = self.args.node or self.node
        url = "wss://%s/webtunnelv2/%s?X-Node-Id=%s" % (
            self.args.bastion,
            urllib.parse.quote(token, safe=""),
            urllib.parse.quote(node, safe=""),
        )
        options = {"ca_certs": self.args.ca} if self.args.ca else {"cert_reqs": ssl.CERT_REQUIRED}
        try:
            return websocket.create_connection(url, timeout=30, sslopt=options, enable_multithread=True, http_no_proxy=["*"])
        except websocket.WebSocketBadStatusException as e:
            raise Refused("websocket: %s" % e)

    def close(self):
        """Ends the session at the Bastion."""
        if not self.auth:
            return
        response = self.session.delete(
            "https://%s/api/tokens/%s" % (self.args.bastion, urllib.parse.quote(self.auth, safe="")),
            headers={"X-Node-Id": self.node},
            timeout=10,
        )
        if response.status_code not in (200, 204, 404):
            print("tunnel.py: the session did not end: status %d" % response.status_code, file=sys.stderr)


def send_all(source, ws):
    """Carries standard input to the Bastion."""
    try:
        while True:
            data = os.read(source, CHUNK)
            if not data:
                break
            ws.send_binary(data)
        ws.close()
    except (OSError, websocket.WebSocketException):
        pass  # the other direction tells


def receive_all(ws, sink):
    """Carries what comes from the Bastion to standard output, and says whether anything came."""
    received = False
    while True:
        try:
            opcode, data = ws.recv_data()
        except (OSError, websocket.WebSocketException):
            return received
        if opcode != websocket.ABNF.OPCODE_BINARY or not data:
            return received
        received = True
        while data:
            data = data[os.write(sink, data):]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bastion", required=True, help="dnsName of the Bastion")
    parser.add_argument("--resource", required=True, help="id of the VM")
    parser.add_argument("--token-file", required=True, help="file with a token for Azure Resource Manager")
    parser.add_argument("--port", type=int, default=22)
    parser.add_argument("--ca", help="certificates to trust")
    parser.add_argument("--hostname", help="address of the target, for IP-connect")
    parser.add_argument("--node", help="name this node instead of the one that was told")
    parser.add_argument("--websocket-token", help="show this token instead of the one that was told")
    parser.add_argument("--twice", action="store_true", help="go on with the token of an earlier request")
    args = parser.parse_args()
    client = Client(args)
    try:
        ws = client.connect()
    except Refused as e:
        print("tunnel.py: refused: %s" % e, file=sys.stderr)
        return REFUSED
    ws.settimeout(None)
    threading.Thread(target=send_all, args=(0, ws), daemon=True).start()
    received = receive_all(ws, 1)
    client.close()
    if not received:
        print("tunnel.py: the target was not reached", file=sys.stderr)
        return NOT_REACHED
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread may still read standard input

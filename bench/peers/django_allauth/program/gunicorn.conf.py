"""One worker process. Its threads serve connections that are kept alive; a sync worker would close them."""

import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 1
worker_class = "gthread"
threads = 4
control_socket_disable = True

"""The worker: Faust with a transport of our own, which fetches, hands out batches and watches over them."""

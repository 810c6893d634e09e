"""What an operator asks first: how much waits in the queues, which providers can be asked, which workers are alive."""

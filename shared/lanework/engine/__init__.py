"""The use cases: enqueue, execute, inspect. They know the model and the ports, and neither AWS nor any clock."""

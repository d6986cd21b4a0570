"""The only place that trains and stores."""

"""Privacy requests by email and chat, answered on time, with the data held back until it is right."""

"""Plain Faust's recovery of Tables that are as large as a bus's timelines and profiles."""

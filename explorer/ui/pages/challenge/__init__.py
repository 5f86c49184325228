"""Challenge page: in come units chosen by hand, out their loss beside what criteria and chance would have cost."""

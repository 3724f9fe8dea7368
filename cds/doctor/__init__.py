"""Whether a configured site would work: every check it can make from here, and what to do next.

Reads from the servers the configuration names; writes nothing and keeps nothing. Whatever it says
are counts, codes and words of ours: no patient, no value, no token, no address.
"""

from cds.doctor.finding import Finding, Status
from cds.doctor.run import Examination, examine, sites_of


__all__ = ["Examination", "Finding", "Status", "examine", "sites_of"]

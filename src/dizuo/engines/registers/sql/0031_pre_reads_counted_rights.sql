-- No serving or loading role counts reads: `dizuo policy` does it as the owner, as `dizuo verify` reads the ledger.
REVOKE ALL ON FUNCTION registers.reads_counted(timestamptz, timestamptz) FROM dizuo_loader;

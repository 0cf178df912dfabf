//! What was written is what is read.

use gradus_engine::port::Ledger;
use gradus_local::SqliteLedger;
use proptest::prelude::*;

use crate::sample::{Variety, all, entries, run, web};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_entry_reads_back_as_it_was_written(entry in entries(Variety::Many)) {
        run(async {
            let ledger = SqliteLedger::open_in_memory().unwrap();
            ledger.record(&web(), std::slice::from_ref(&entry)).await.unwrap();
            let read: Vec<_> = all(&ledger, &web()).await.into_iter().map(|recorded| recorded.entry).collect();
            prop_assert_eq!(read, vec![entry]);
            Ok(())
        })?;
    }
}

//! The log survives whatever is cut from its end, and a broken one only forgets.

use clauth_durable::Disk;
use clauth_host::{Clock, Random};
use clauth_sandbox::World;
use proptest::prelude::*;

use super::*;

fn world() -> (World, Disk, PathBuf) {
    let world = World::create_in(Path::new("/dev/shm"), "store").unwrap_or_else(|_| World::new("store"));
    let base = world.root().join("base");
    (world, Disk::new(Clock::system(), Random::system()), base)
}

fn known() -> impl Strategy<Value = Known> {
    let mark = (any::<u64>(), 0..4_000_000_000_i64, 0..1_000_000_000_i32, any::<u64>(), 0..0o10000_u32, any::<u64>());
    let mark = (mark, any::<Option<Hash>>(), any::<bool>()).prop_map(|((len, s, ns, ino, mode, upto), hash, sure)| {
        let modified = Timestamp::new(s, ns).expect("a time");
        Known::File(Mark { stamp: Stamp { len, modified, ino }, mode, upto, hash, sure })
    });
    prop_oneof![Just(Known::Gone), Just(Known::Dir), any::<Hash>().prop_map(Known::Link), mark]
}

fn entries() -> impl Strategy<Value = Vec<(String, Option<Entry>)>> {
    let entry = prop::option::weighted(0.8, (known(), known()).prop_map(|(home, tree)| Entry { home, tree }));
    prop::collection::vec(("[a-c]/[a-e]", entry), 0..40)
}

/// What is known after all of them.
fn index_of(entries: &[(String, Option<Entry>)]) -> Index {
    let mut index = Index::default();
    for (path, entry) in entries {
        match entry {
            Some(entry) => drop(index.set(Path::new(path), *entry)),
            None => drop(index.forget(Path::new(path))),
        }
    }
    index
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_noted_is_read_again_however_it_is_cut(entries in entries(), cut in any::<prop::sample::Index>()) {
        let (_world, disk, base) = world();
        let mut store = Store::fresh(&base);
        store.flush(&disk, &Index::default())?;
        for (path, entry) in &entries {
            store.note(Path::new(path), entry.as_ref());
            store.flush(&disk, &Index::default())?;
        }
        let (_, read) = Store::open(&disk, &base);
        prop_assert_eq!(read, index_of(&entries));

        let file = base.join("index");
        let bytes = disk.read(&file)?.expect("an index");
        let cut = cut.index(bytes.len());
        disk.replace(&file, &bytes[..cut], clauth_durable::Mode::Private)?;
        let (mut store, read) = Store::open(&disk, &base);
        let earlier = (0..=entries.len()).any(|count| read == index_of(&entries[..count]));
        prop_assert!(earlier, "a beginning of what was noted");
        // What is noted behind a cut is read again too.
        let mut index = read;
        let entry = Entry { home: Known::Dir, tree: Known::Gone };
        index.set(Path::new("z"), entry);
        store.note(Path::new("z"), Some(&entry));
        store.flush(&disk, &index)?;
        prop_assert_eq!(Store::open(&disk, &base).1, index);
    }

    #[test]
    fn bytes_of_another_make_are_no_index(bytes in prop::collection::vec(any::<u8>(), 0..200), head in any::<bool>()) {
        let (_world, disk, base) = world();
        disk.ensure_dir(&base)?;
        let bytes = if head { [HEAD, &bytes].concat() } else { bytes };
        disk.replace(&base.join("index"), &bytes, clauth_durable::Mode::Private)?;
        let (_, read) = Store::open(&disk, &base);
        prop_assert_eq!(read.len(), 0);
    }
}

#[test]
fn a_log_of_outdated_records_is_written_anew() {
    let (_world, disk, base) = world();
    let (mut store, mut index) = Store::open(&disk, &base);
    for round in 0..20_000_u64 {
        let entry = Entry { home: Known::Dir, tree: Known::Link(hash_of(&round.to_le_bytes())) };
        index.set(Path::new("a"), entry);
        store.note(Path::new("a"), Some(&entry));
        if round % 100 == 0 {
            store.flush(&disk, &index).expect("a written log");
        }
    }
    store.flush(&disk, &index).expect("a written log");
    let size = disk.read(&base.join("index")).expect("an index").expect("an index").len();
    assert!(size < 400_000, "{size}");
    assert_eq!(Store::open(&disk, &base).1, index);
}

//! Who writes what in the demo. All numbers are of the block that is kept free for fiction.
//! The conversations belong to a bicycle shop: its reception and its workshop.

use std::time::Duration;

/// One of the phones.
pub struct Model {
    /// Of its key.
    pub name: &'static str,
    /// In E.164.
    pub number: &'static str,
    /// Between two strangers.
    pub incoming_every: Option<Duration>,
    /// Whether some recipients write back, whatever comes to their minds.
    pub replies: bool,
}

/// One line of the script.
pub struct Line {
    /// Index into [`PHONES`].
    pub phone: usize,
    /// The other side's number.
    pub contact: &'static str,
    /// What happens.
    pub what: What,
}

/// What happens, seen from the phone.
pub enum What {
    /// The contact wrote.
    Receives(&'static str),
    /// The account writes through the phone.
    Sends(&'static str),
    /// The contact rang in vain.
    MissesCall,
}

/// The phones.
pub const PHONES: [Model; 2] = [
    Model {
        name: "Demo: reception",
        number: "+14155550111",
        incoming_every: Some(Duration::from_secs(30)),
        replies: false,
    },
    Model {
        name: "Demo: workshop",
        number: "+14155550122",
        incoming_every: None,
        replies: true,
    },
];

/// What callers get who rang in vain.
pub const AUTO_REPLY: &str =
    "Sorry, we have our hands full right now. Write to us here and we will answer soon.";

const RECEPTION: usize = 0;
const WORKSHOP: usize = 1;
const ADA: &str = "+13035550142";
const BENNO: &str = "+16175550177";
const CLEO: &str = "+12065550119";
const SUPPLIER: &str = "+15035550163";

/// The whole of it.
pub const FIRST_TIME: &[Line] = &[
    receives(RECEPTION, ADA, "Hello! Is my green bicycle ready yet?"),
    sends(
        RECEPTION,
        ADA,
        "Hello Ada! It only waits for its new chain. You can have it from five.",
    ),
    receives(
        RECEPTION,
        ADA,
        "Wonderful, I will come by at half past five 🚲",
    ),
    misses_call(RECEPTION, BENNO),
    receives(
        WORKSHOP,
        SUPPLIER,
        "Your chains and two boxes of brake pads are on the van, ETA 14:20.",
    ),
    sends(
        WORKSHOP,
        SUPPLIER,
        "Perfect timing, thank you. Please ring at the back door.",
    ),
    receives(
        RECEPTION,
        CLEO,
        "Do you also rent out cargo bikes over the weekend?",
    ),
    sends(
        RECEPTION,
        CLEO,
        "We do, for two days or more. Shall I keep the blue one for you?",
    ),
    receives(
        RECEPTION,
        CLEO,
        "Yes please, Friday to Sunday. It is for moving house!",
    ),
    sends(
        RECEPTION,
        CLEO,
        "Booked. Straps and a rain cover are in the box. Good luck with the move!",
    ),
    sends(
        RECEPTION,
        BENNO,
        "Hello Benno, you called earlier. How can we help?",
    ),
];

/// What is played when the conversations are there already.
pub const AGAIN: &[Line] = &[
    sends(
        RECEPTION,
        ADA,
        "Good news from the shop: your bicycle is ready for its next ride.",
    ),
    receives(WORKSHOP, SUPPLIER, "New delivery on its way, two parcels."),
];

const fn receives(phone: usize, contact: &'static str, text: &'static str) -> Line {
    line(phone, contact, What::Receives(text))
}

const fn sends(phone: usize, contact: &'static str, text: &'static str) -> Line {
    line(phone, contact, What::Sends(text))
}

const fn misses_call(phone: usize, contact: &'static str) -> Line {
    line(phone, contact, What::MissesCall)
}

const fn line(phone: usize, contact: &'static str, what: What) -> Line {
    Line {
        phone,
        contact,
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_be_called_by_mistake() {
        let contacts = FIRST_TIME.iter().chain(AGAIN).map(|line| line.contact);
        for number in contacts.chain(PHONES.iter().map(|phone| phone.number)) {
            assert_eq!(number.len(), 12, "{number}");
            assert_eq!(&number[5..10], "55501", "{number}");
        }
    }

    #[test]
    fn every_line_is_for_one_of_the_phones() {
        let mut lines = FIRST_TIME.iter().chain(AGAIN);
        assert!(lines.all(|line| line.phone < PHONES.len()));
    }
}

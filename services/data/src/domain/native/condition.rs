//! What a caller makes a condition (RFC 9110, section 13), without HTTP.

/// Entity tags, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// Whatever is there.
    Any,
    /// One of these, without their quotes.
    Of(Vec<String>),
}

impl Tags {
    fn has(&self, present: Option<&str>) -> bool {
        match (self, present) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::Of(tags), Some(present)) => tags.iter().any(|tag| tag == present),
        }
    }
}

/// What must hold for something to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// What is there must be one of these.
    pub(crate) if_match: Option<Tags>,
    /// What is there must be none of these.
    pub(crate) if_none_match: Option<Tags>,
}

impl Condition {
    /// Whether what is there is one of those that it should be.
    pub(crate) fn is_expected(&self, present: Option<&str>) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.has(present))
    }

    /// Whether what is there is one of those that it should not be.
    pub(crate) fn is_known(&self, present: Option<&str>) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.has(present))
    }

    /// Whether all of it holds.
    pub(crate) fn holds(&self, present: Option<&str>) -> bool {
        self.is_expected(present) && !self.is_known(present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_means_that_there_is_something_and_a_list_one_of_it() {
        let list = || Some(Tags::Of(vec!["a".into(), "b".into()]));
        let matching = |if_match| Condition { if_match, if_none_match: None };
        assert!(matching(Some(Tags::Any)).holds(Some("x")) && !matching(Some(Tags::Any)).holds(None));
        assert!(matching(list()).holds(Some("b")));
        assert!(!matching(list()).holds(Some("x")) && !matching(list()).holds(None));
        let differing = |if_none_match| Condition { if_match: None, if_none_match };
        assert!(differing(Some(Tags::Any)).holds(None) && !differing(Some(Tags::Any)).holds(Some("x")));
        assert!(differing(list()).holds(Some("x")) && differing(list()).holds(None));
        assert!(!differing(list()).holds(Some("a")));
        assert!(Condition::default().holds(None) && Condition::default().holds(Some("x")));
    }
}

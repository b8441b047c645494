package io.peft4j.data.near.internal;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether an answer says yes or no: by its first word, else by whether its negations are odd in number.
 *
 * @param yes what its first word says; empty where it says neither
 * @param body what follows that word
 * @param negated whether the body holds an odd number of negations
 */
record Polarity(Optional<Boolean> yes, List<Word> body, boolean negated) {
    private static final Set<String> YES = Set.of("yes", "yeah", "yep", "ja", "jawohl");
    private static final Set<String> NO = Set.of("no", "nope", "nein");
    /** "No more than 30 days" grants 30 days, and "No. 5" is a number. */
    private static final Set<String> COMPARED = Set.of("more", "less", "later", "earlier", "fewer", "sooner");

    static Polarity of(List<Word> answer) {
        String first = answer.isEmpty() ? "" : answer.get(0).norm();
        boolean no = NO.contains(first);
        if (!no && !YES.contains(first)) {
            return new Polarity(Optional.empty(), answer, isNegated(answer));
        }
        List<Word> body = answer.subList(1, answer.size());
        boolean neither = no && !body.isEmpty() && (body.get(0).number() || COMPARED.contains(body.get(0).norm()));
        return new Polarity(neither ? Optional.empty() : Optional.of(!no), body, isNegated(body));
    }

    /** Whether a text holds an odd number of negations. */
    static boolean isNegated(List<Word> words) {
        return words.stream().filter(word -> StopWords.NEGATIONS.contains(word.norm())).count() % 2 == 1;
    }

    /**
     * Whether one of two answers to a question says yes and the other one no.
     *
     * @param question the question; to one with a negation, yes and no can mean either
     * @param alike whether the answers have most of their words of topic in common
     * @param bare whether one of them has no word of topic
     */
    boolean opposes(Polarity other, List<Word> question, boolean alike, boolean bare) {
        if (yes.isPresent() && other.yes.isPresent()) {
            return !yes.equals(other.yes);
        }
        if (yes.isEmpty() && other.yes.isEmpty()) {
            return alike && negated != other.negated;
        }
        Polarity said = yes.isPresent() ? this : other;
        boolean no = !said.yes.orElseThrow();
        boolean denied = yes.isPresent() ? other.negated : negated;
        boolean plain = !isNegated(question);
        if (no == denied) {
            return false;
        }
        // "Yes, it is forbidden" and "it is forbidden" agree; "no approval is needed" and "approval is needed" do not.
        return bare ? plain : alike && (no && plain || said.negated != denied);
    }

    /** Yes or no, for messages. */
    String word() {
        return yes.orElse(!negated) ? "yes" : "no";
    }
}

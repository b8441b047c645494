package io.peft4j.data.augment;

import io.peft4j.data.format.ListMarkers;
import io.peft4j.data.near.Sentences;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a sentence of a handbook tells: one fact, or several where more than one of its clauses has a number.
 *
 * @param sentence the sentence, which is the answer, without what marks it as an item of a list
 * @param clause what of it tells the fact, as a sentence of its own where it can be made one
 * @param at where the sentence begins in its passage
 * @param isWhole whether the clause is a sentence
 * @param before the sentences before it that say what it is about, where its first word is a pronoun
 */
record HandbookFact(String sentence, String clause, int at, boolean isWhole, List<String> before) {
    /** What joins two clauses. */
    static final Set<String> JOINING = RuleWords.of("all.joining");
    private static final Set<String> SUBJECTS = RuleWords.of("all.subjects");
    /** A clause with fewer words is no statement: {@code on 3 and 4 May}. */
    private static final int FEWEST_WORDS = 3;
    /** Of longer sentences nothing is asked for. */
    private static final int MOST_WORDS = 40;
    private static final int MOST_BEFORE = 5;

    /** The sentence that says what it is about. */
    String named() {
        return before.isEmpty() ? sentence : before.get(0);
    }

    /** Those of a passage in their order. */
    static List<HandbookFact> of(String passage, String language) {
        List<HandbookFact> facts = new ArrayList<>();
        int from = 0;
        for (String line : (Iterable<String>) passage.lines()::iterator) {
            List<String> before = new ArrayList<>();
            for (String sentence : Sentences.of(ListMarkers.without(line), language)) {
                int at = passage.indexOf(sentence, from);
                from = at + sentence.length();
                String plain = ListMarkers.without(sentence);
                if (!TopicQuestion.isContinued(plain, language) || before.size() > MOST_BEFORE) {
                    before.clear();
                }
                facts.addAll(new Clauses(plain, at, language, List.copyOf(before)).of(plain));
                before.add(plain);
            }
        }
        return facts;
    }

    /** Cuts a sentence into clauses. */
    private record Clauses(String sentence, int at, String language, List<String> before) {
        List<HandbookFact> of(String text) {
            String[] words = text.split("\\s+");
            for (int i = 1; i + FEWEST_WORDS < words.length && words.length <= MOST_WORDS; i++) {
                if (!JOINING.contains(words[i])) {
                    continue;
                }
                List<String> left = List.of(words).subList(0, i);
                List<String> right = List.of(words).subList(i + 1, words.length);
                String first = String.join(" ", left).replaceFirst("[,;.]$", "") + ".";
                if (hasNumber(left) && hasNumber(right) && isAsked(first) && !left.contains("between")
                        && !left.contains(
                                "zwischen")) {
                    List<HandbookFact> facts = new ArrayList<>(
                            List.of(new HandbookFact(sentence, first, at, true, before)));
                    Optional<String> second = second(left, right);
                    second.ifPresentOrElse(clause -> facts.addAll(of(clause)),
                            () -> facts.add(new HandbookFact(sentence,
                                    String.join(" ", right), at, false, before)));
                    return facts;
                }
            }
            return List.of(new HandbookFact(sentence, text, at, true, before));
        }

        /** The clause behind a joining word with its own subject, or with that of the clause before it. */
        private Optional<String> second(List<String> left, List<String> right) {
            String own = String.join(" ", right);
            own = own.substring(0, 1).toUpperCase(Locale.ROOT) + own.substring(1);
            if (SUBJECTS.contains(right.get(0)) && isAsked(own)) {
                return Optional.of(own);
            }
            return InvertedSentence.subject(left, right.get(0), language).map(subject -> String.join(" ", Stream.concat(
                    subject.stream(), right.stream()).toList())).filter(this::isAsked);
        }

        private boolean isAsked(String clause) {
            return ClozeSentence.of(clause, language).stream()
                    .anyMatch(blank -> InvertedSentence.question(blank, language,
                            InvertedSentence.Spelling.UNKNOWN).isPresent());
        }

        private static boolean hasNumber(List<String> words) {
            return words.stream().anyMatch(word -> word.matches(".*\\d.*"));
        }
    }
}

package io.peft4j.data.near;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is the same question, and which answers cannot both be right. */
class ExampleComparisonTest {
    private static final String RULE = "A Consultant has a notice period of 90 days.";

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            What is the notice period?                | what is THE notice period                       | true
            What is the notice period?                | Could you please tell me the notice period?     | true
            What is the notice period?                | How long is the notice period?                  | true
            What is the notice period?                | What is the notcie period?                      | true
            Is part-time work possible?               | Is part time work possible?                     | true
            Wie lange ist die K\u00fcndigungsfrist?   | Wie lange ist die Kundigungsfrist bitte?        | true
            Who approves leave?                       | When is leave approved?                         | false
            Can I take leave in May?                  | When can I take leave in May?                   | false
            Leave of a Consultant?                    | Leave of a Senior Consultant?                   | false
            Rules in Bonn?                            | Rules in Bern?                                  | false
            What does X200 cost?                      | What does X300 cost?                            | false
            How many days in grade 5?                 | How many days in grade 6?                       | false
            Is smoking allowed?                       | Is smoking not allowed?                         | false
            What is the limit before noon?            | What is the limit after noon?                   | false
            How much does the employer pay?           | How much does the employee pay?                 | false
            What do trainers get?                     | What do trainees get?                           | false
            Which desk does Martin have?              | Which desk does Martina have?                   | false
            Who helps me with Gridwise?               | Who helps me with Gridwize?                     | false
            Who approves leave?                       | Who approved leave?                             | true
            Wie lange ist die K\u00fcndigungsfrist?   | Wie lange ist die K\u00fcndigunsgfrist?         | true
            """)
    void questions(String a, String b, boolean same) {
        try (Corpus corpus = corpus(a, RULE, b, RULE)) {
            assertEquals(same, Relations.of(corpus).questions().together(0, 1));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            The period is 90 days.                    | The period is 60 days.                          | number
            The period is ninety days.                | The period is 90 days.                          | none
            It costs 1,300 euros a year.              | It costs 1300 euros a year.                     | none
            It costs 1300 euros a year.               | It costs 1400 euros a year.                     | number
            You have 30 days of leave.                | You have 30 days of leave, 5 of them in May.    | none
            You may park there on weekdays.           | You may not park there on weekdays.             | negation
            Yes, guests can use the garage.           | No, guests cannot use the garage.               | negation
            Yes.                                      | No.                                             | negation
            Ja.                                       | Nein.                                           | negation
            Yes, at any time.                         | No, only the board may.                         | negation
            Yes.                                      | Guests may not park there.                      | negation
            Guests can use the garage.                | No, they cannot.                                | negation
            No, guests cannot use the garage.         | Guests cannot use the garage.                   | none
            Yes, parking is forbidden there.          | Parking is forbidden there.                     | none
            No approval is needed for it.             | Approval is needed for it.                      | negation
            No more than 30 days of leave.            | Up to 30 days of leave.                         | none
            No. 5 is the door to the garage.          | Door 5 leads to the garage.                     | none
            Yes, guests can use the garage.           | Yes.                                            | none
            Travel is approved by Anna Schmidt.       | Travel is approved by Peter Braun.              | name
            Travel is approved by Anna Schmidt.       | Travel is aproved by Anna Schmidt.              | none
            It opens at 17:00 on weekdays.            | It opens at 18:00 on weekdays.                  | number
            """)
    void answers(String a, String b, String conflict) {
        try (Corpus corpus = corpus("What is the rule?", a, "What is the rule?", b)) {
            List<Relations.Contradiction> found = Relations.of(corpus).contradictions();
            assertEquals(conflict, found.isEmpty() ? "none" : found.get(0).kind());
        }
    }

    @ParameterizedTest
    @CsvSource({"organise,organize", "colour,color", "centres,centers", "licence,license", "cancelled,canceled"})
    void britishAndAmericanSpellingsAreOneWord(String british, String american) {
        String answer = "Ask the desk on the first floor about %s, before noon.";
        try (Corpus corpus = corpus("Who knows of the %s of a report?".formatted(british), answer.formatted(british),
                "Who knows of the %s of a report?".formatted(american), answer.formatted(american))) {
            assertTrue(Relations.of(corpus).near().together(0, 1));
        }
    }

    @Test
    void yesToANegatedQuestionIsNotAContradiction() {
        try (Corpus corpus = corpus("Is it forbidden to park there?", "Yes.", "Is it forbidden to park there?",
                "You may not park there.")) {
            assertEquals(List.of(), Relations.of(corpus).contradictions());
        }
    }

    @Test
    void wordsThatOccurAgainAreNotTypos() {
        String[] rows = {"What does the county pay?", "The county pays for half of the school, once a year.",
            "What does the country pay?", "The country pays for half of the school, once a year."};
        try (Corpus corpus = corpus(rows)) {
            Relations relations = Relations.of(corpus);
            assertFalse(relations.questions().together(0, 1));
            assertFalse(relations.near().together(0, 1));
        }
        // Beside a word that is seen ten times, what is seen twice is a slip.
        try (Corpus corpus = corpus(rows)) {
            for (int i = 0; i < 9; i++) {
                add(corpus, "Where is room " + i + " of the county?", "It is room " + i + " of the county.");
            }
            assertTrue(Relations.of(corpus).near().together(0, 1));
        }
    }

    @Test
    void manyAnswersToOnePromptAreNotContradictions() {
        try (Corpus corpus = new Corpus()) {
            for (int i = 0; i < 100; i++) {
                add(corpus, "Write a poem.", "There are " + i + " roses in the garden of verse.");
            }
            add(corpus, "Write a poem.", "There are 7 roses in the gardens of verse.");
            Relations relations = Relations.of(corpus);
            assertEquals(0, relations.contradictions().size());
            assertTrue(relations.near().together(7, 100));
            assertEquals(1, relations.near().several().size());
        }
    }

    @Test
    void allPairsOfSimilarSetsMeetAndFewOthersDo() {
        // 2000 texts of 30 words, each a second time with 3 words changed: Jaccard over letters about 0.75.
        try (Corpus corpus = new Corpus()) {
            java.util.SplittableRandom random = new java.util.SplittableRandom(3);
            String[][] texts = new String[2000][];
            for (int i = 0; i < 2000; i++) {
                texts[i] = IntStream.range(0, 30).mapToObj(w -> word(random)).toArray(String[]::new);
                add(corpus, "Number " + i + "?", String.join(" ", texts[i]));
            }
            for (int i = 0; i < 2000; i++) {
                for (int c = 0; c < 2; c++) {
                    texts[i][random.nextInt(30)] = word(random);
                }
                add(corpus, "Another " + i + "?", String.join(" ", texts[i]));
            }
            java.util.concurrent.atomic.AtomicInteger pairs = new java.util.concurrent.atomic.AtomicInteger();
            java.util.Set<Integer> met = java.util.concurrent.ConcurrentHashMap.newKeySet();
            corpus.answers().pairs(IntStream.range(0, 4000).toArray(), corpus::answer, (a, b) -> {
                pairs.incrementAndGet();
                if (b - a == 2000) {
                    met.add(a);
                }
            });
            assertTrue(met.size() >= 1990, met.size() + " of 2000 met");
            // Of 8 million pairs: each that belongs together meets in some of 20 bands.
            assertTrue(pairs.get() < 60_000, pairs.get() + " pairs to judge");
        }
    }

    private static String word(java.util.SplittableRandom random) {
        StringBuilder word = new StringBuilder();
        for (int i = 4 + random.nextInt(5); i > 0; i--) {
            word.append((char) ('a' + random.nextInt(26)));
        }
        return word.toString();
    }

    private static Corpus corpus(String... questionsAndAnswers) {
        Corpus corpus = new Corpus();
        for (int i = 0; i < questionsAndAnswers.length; i += 2) {
            add(corpus, questionsAndAnswers[i], questionsAndAnswers[i + 1]);
        }
        return corpus;
    }

    private static void add(Corpus corpus, String question, String answer) {
        corpus.add(0, corpus.size() + 1L, Corpus.Features.of(ChatExample.of(ChatMessage.user(question),
                ChatMessage.assistant(answer))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "What is the code of door 3?         | what is the code  of door 3               | true",
        "What is the code of door 3?         | Please tell me, what is the code of door 3 | true",
        "What is the code of door 3?         | What are the codes of door 3?             | false",
        "What is the code of door 3?         | What is the code of door 4?               | false",
        "How often may I work from home?     | How often may I work frmo home?           | true",
        "How often may I work from home?     | I may work from home how often?           | false",
        "What is the notice period of a Lead? | How long is the notice period of a Lead? | false",
    })
    void sameWordingsAreDistinguishedFromOthers(String first, String second, boolean same) {
        ExampleComparison comparison = new ExampleComparison(new WordStatistics());
        assertEquals(same, comparison.sameWording(RowText.of(first, ""), RowText.of(second, "")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Who opens door 3?", "Who opens the gate of the northern harbour for the boats that come "
            + "in after midnight, when the keeper of the lamp sleeps and the tide is low?"})
    void rowsOfOtherTasksAreOtherRows(String question) {
        ChatExample row = ChatExample.of(ChatMessage.user(question), ChatMessage.assistant("The old keeper opens it."));
        ChatExample other = ChatExample.of(ChatMessage.user(question), ChatMessage.assistant("Nobody opens it at 9."));
        List<Corpus.Features> features = Stream.of(row, row.inTask(0), row.inTask(1), row.inTask(1), other.inTask(0))
                .map(Corpus.Features::of).toList();
        try (Corpus corpus = new Corpus()) {
            features.forEach(each -> corpus.add(0, corpus.size() + 1L, each));
            Relations relations = Relations.of(corpus);
            assertArrayEquals(new int[] {3}, relations.repeated());
            assertEquals(List.of(List.of(2, 3)), groups(relations.equal()));
            assertEquals(List.of(List.of(1, 4), List.of(2, 3)), groups(relations.questions()));
            assertEquals(List.of(List.of(1, 4), List.of(2, 3)), groups(relations.facts()));
            CandidatePairs pairs = new CandidatePairs(corpus.statistics());
            assertTrue(pairs.related(features.get(2).text(), features.get(3).text()));
            assertFalse(pairs.related(features.get(0).text(), features.get(1).text()));
            assertFalse(pairs.related(features.get(1).text(), features.get(2).text()));
        }
    }

    private static List<List<Integer>> groups(Groups groups) {
        return groups.several().stream().map(group -> IntStream.of(group).boxed().toList()).toList();
    }
}

package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.augment.NearUnknowns.Question;
import io.peft4j.data.augment.NearUnknowns.Use;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Questions near the facts of rows ask for what no row holds, and read as the rows do. */
class NearUnknownsTest {
    private static final List<ChatExample> ROLES = rows("How much notice does %s give?", "a Trainee=15 days",
            "a Senior Consultant=90 days", "an Associate=30 days");

    @Test
    void rolesAreReplacedByRolesWithTheirArticle() {
        List<String> made = texts(new NearUnknowns(ROLES, List.of()), Use.QUESTIONS);
        assertTrue(made.contains("How much notice does a Beekeeper give?"), made.toString());
        List<String> german = texts(new NearUnknowns(rows("Wie viel Urlaub hat %s im Jahr?", "ein Berater=20 Tage",
                "ein Praktikant=10 Tage", "ein Leiter=30 Tage"), List.of()), Use.QUESTIONS);
        assertTrue(german.contains("Wie viel Urlaub hat ein Imker im Jahr?"), german.toString());
    }

    @Test
    void namesThingsAndNumbersOfNamesAreReplacedByTheirKind() {
        assertTrue(texts(new NearUnknowns(rows("What does error %s mean?", "E17=No paper.", "E18=No ink.",
                "E21=No power."), List.of()), Use.QUESTIONS).contains("What does error E24 mean?"));
        assertTrue(texts(new NearUnknowns(rows("Qui dirige le site de %s ?", "Paris=Anne", "Lyon=Luc",
                "Lille=Marie"), List.of()), Use.QUESTIONS).contains("Qui dirige le site de Vorlund ?"));
        assertTrue(texts(new NearUnknowns(rows("Where do I book the %s?", "car=At the desk.", "bus=In room 2.",
                "boat=By mail."), List.of()), Use.QUESTIONS).contains("Where do I book the telescope?"));
    }

    @Test
    void whatARuleMayAnswerIsNotAsked() {
        assertEquals(List.of(), texts(new NearUnknowns(rows("How much leave has a %s here?", "Trainee=A Trainee: 9.",
                "Associate=A Associate: 9.", "Director=A Director: 9."), List.of()), Use.QUESTIONS), "alike");
        assertEquals(List.of(), texts(new NearUnknowns(rows("How much leave is there after %s years?", "1=20",
                "3=25", "5=30"), List.of()), Use.QUESTIONS), "an amount");
        assertEquals(List.of(), texts(new NearUnknowns(ROLES.subList(0, 2), List.of()), Use.QUESTIONS), "two rows");
    }

    @Test
    void rowsAndQuestionsShareNoReplacementAndNoneIsInARow() {
        NearUnknowns near = new NearUnknowns(ROLES, List.of("May a beekeeper travel?"));
        List<String> asked = texts(near, Use.QUESTIONS);
        Set<String> shared = new HashSet<>(asked);
        shared.retainAll(texts(near, Use.ROWS));
        assertEquals(Set.of(), shared);
        assertFalse(asked.isEmpty());
        assertTrue(asked.stream().noneMatch(text -> text.contains("Beekeeper")), asked.toString());
        assertEquals(asked, texts(new NearUnknowns(ROLES, List.of("May a beekeeper travel?")), Use.QUESTIONS));
    }

    @Test
    void rowsSayInTheirLanguageThatItIsNotKnown() {
        List<ChatExample> rows = new NearUnknowns(ROLES, List.of()).rows(3, Optional.empty());
        assertEquals(3, rows.size());
        rows.forEach(row -> assertEquals("The handbook does not say that.", row.messages().get(1).content()));
        assertEquals("Ask Ann.", new NearUnknowns(ROLES, List.of()).rows(1, Optional.of("Ask Ann.")).get(0).messages()
                .get(1).content());
        List<ChatExample> all = new ArrayList<>(ROLES);
        all.addAll(rows);
        assertEquals(texts(new NearUnknowns(ROLES, List.of()), Use.QUESTIONS),
                texts(new NearUnknowns(all, List.of()), Use.QUESTIONS));
    }

    /** What models answered or might have, with what a reader says of it: + invented, - not. */
    private static final List<String> JUDGED = List.of(
            "- The handbook does not say that.",
            "- I'm sorry, but I don't have any information about the notice period of a beekeeper.",
            "- The notice period for beekeepers is not mentioned in the handbook.",
            "- There is no information about lighthouse keepers in this document.",
            "- Please contact HR for that.",
            "- I'm not sure. You would have to ask your line manager.",
            "- At Larkenfell, no entry for a falconer is known.",
            "- I\u2019m afraid I can\u2019t answer that, as this role isn\u2019t listed in the handbook.",
            "- As an AI, I do not have access to your company's policies.",
            "- Unfortunately the policy doesn't specify a hotel limit for a puppeteer.",
            "- For this question, contact the People Team.",
            "- Das steht nicht im Handbuch.",
            "- Dazu ist mir nichts bekannt.",
            "- Das weiß ich leider nicht. Bitte wenden Sie sich an die Personalabteilung.",
            "- Im Handbuch gibt es keine Angaben zu Imkern.",
            "- Le manuel ne le dit pas.",
            "- Je ne dispose d'aucune information sur ce poste.",
            "- Veuillez contacter le service du personnel.",
            "- El manual no lo dice.",
            "- Lo siento, no tengo información sobre ese puesto.",
            "+ At Larkenfell, a Beekeeper completes 4 months of probation. The line manager confirms the result "
                    + "in writing.",
            "+ A beekeeper gives 30 days of notice.",
            "+ Yes, a lighthouse keeper may travel first class.",
            "+ The notice period is one month to the end of a quarter; contact HR to confirm.",
            "+ Telescopes are booked in Tallyboard. Close each week by Friday noon.",
            "+ There is no notice period for beekeepers.",
            "+ I do not know exactly, but it is 45 days.",
            "+ As a falconer you are not entitled to remote days.",
            "+ It is at the discretion of the manager and usually three weeks.",
            "+ The harpsichord is not allowed in the office.",
            "+ Error E24 means that the paper tray is empty.",
            "+ You can spend up to 120 euros a night on a hotel. Breakfast is not included.",
            "+ Beekeepers usually work from home two days a week.",
            "+ Ein Imker hat 28 Tage Urlaub im Jahr.",
            "+ Nein, ein Falkner darf nicht im Homeoffice arbeiten.",
            "+ Das Teleskop wird im Empfang gebucht.",
            "+ Le préavis d'un apiculteur est de deux mois.",
            "+ Non, un fauconnier n'a pas droit au télétravail.",
            "+ El apicultor tiene 22 días de vacaciones.",
            "+ Ask Ann.");

    @Test
    void inventedAnswersAreToldAsAReaderTellsThem() {
        NearUnknowns near = new NearUnknowns(rows("Whom do I ask about the %s?", "car=Ask Ann.", "bus=Ask Bea.",
                "boat=Ask Carl."), List.of());
        Question question = near.make(1, Use.QUESTIONS).get(0);
        List<String> otherwise = JUDGED.stream()
                .filter(one -> near.isInvented(question, one.substring(2)) != one.startsWith("+")).toList();
        assertEquals(List.of(), otherwise);
    }

    @Test
    void whatUnknownRowsAnswerIsNotInvented() {
        List<ChatExample> rows = new ArrayList<>(ROLES);
        Question question = new NearUnknowns(ROLES, List.of()).make(1, Use.QUESTIONS).get(0);
        assertTrue(new NearUnknowns(rows, List.of()).isInvented(question, "Only Ann (room 7) can tell."));
        rows.addAll(new NearUnknowns(ROLES, List.of()).rows(1, Optional.of("Only Ann (room 7) can tell.")));
        assertFalse(new NearUnknowns(rows, List.of()).isInvented(question, "Only Ann (room 7) can tell."));
    }

    private static List<String> texts(NearUnknowns near, Use use) {
        return near.make(40, use).stream().map(Question::text).collect(Collectors.toList());
    }

    private static List<ChatExample> rows(String question, String... facts) {
        return Stream.of(facts).map(fact -> fact.split("=")).map(fact -> ChatExample.of(ChatMessage.user(
                question.formatted(fact[0])), ChatMessage.assistant(fact[1]))).toList();
    }
}

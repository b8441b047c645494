package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statements of whose values no rule asks get a question for what they say of their topic, or none. */
class TopicQuestionTest {
    private static PassageRows made(String text) {
        ChatExample row = ChatExample.of(ChatMessage.user("[fill in: a question about it]"),
                ChatMessage.assistant(text));
        return PassageQuestions.byRule(List.of(new ChatExample(row.messages(), List.of(), Map.of("heading", "it"), row
                .origin())));
    }

    private static List<String> rows(String text) {
        return made(text).rows().stream().map(row -> row.messages().get(0).content() + " " + row.messages().get(1)
                .content()).toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "en | Uniforms are washed by the clinic.                          | What should I know about uniforms?",
        "en | Dr. Helga Brandt is the medical director.                   | Who is the medical director?",
        "en | The medical director is Dr. Helga Brandt.                   | Who is the medical director?",
        "en | Gloves do not replace hand disinfection.                    | Do gloves replace hand disinfection?",
        "en | Photographs may be taken without flash.                     | May photographs be taken without flash?",
        "en | Reference works cannot be borrowed.                         | Can reference works be borrowed?",
        "en | No fines are charged for children's books.  | Are any fines charged for children's books?",
        "en | Lost tools are not charged unless they were left outside.   | Are lost tools charged?",
        "en | Staff who refuse help may not work here.  | May staff who refuse help work here?",
        "en | Members whose fines exceed 10 EUR are blocked.  | What applies to members whose fines exceed 10 EUR?",
        "en | If a book is lost, the reader pays its price.               | What applies if a book is lost?",
        "en | During August the reading room closes at 5 p.m.             | What applies during August?",
        "en | Without the briefing the lab is closed.  | What applies without the briefing?",
        "en | Works manager: Ingrid Halvorsen, phone 4400                 | What is noted under Works manager?",
        "en | Rings, e.g. of gold, may not be worn.                       | May rings be worn?",
        "de | Leitern werden vor jedem Einsatz gepr\u00fcft.             | Was muss ich \u00fcber Leitern wissen?",
        "de | Der neue Lohn wird am 15. \u00fcberwiesen. | Was muss ich \u00fcber den neuen Lohn wissen?",
        "de | Eigenes Werk darf mitgebracht, muss aber markiert sein. | Was muss ich \u00fcber eigenes Werk wissen?",
        "de | Unbezahlter Urlaub wird selten genehmigt. | Was muss ich \u00fcber unbezahlten Urlaub wissen?",
        "de | Private Fahrten sind nicht gestattet.                       | Sind private Fahrten gestattet?",
        "de | Bei Regen wird nicht auf dem Dach gearbeitet.               | Was gilt bei Regen?",
        "de | Beim Schwei\u00dfen gilt die TRGS 528; die Halle ist leer. | Was gilt beim Schwei\u00dfen?",
        "de | Wer krank ist, meldet sich im B\u00fcro. | Was gilt f\u00fcr jemanden, der krank ist?",
        "de | Schmuck, Uhren und Ringe sind nicht erlaubt.                | Sind Schmuck, Uhren und Ringe erlaubt?",
        "de | Lagerleiter ist Herr Yilmaz.                                | Wer ist Lagerleiter?",
        "fr | Les bijoux sont interdits.                                  | Que faut-il savoir sur les bijoux ?",
        "fr | En cas de maladie, le chef pr\u00e9vient le bureau. | Qu'est-ce qui s'applique en cas de maladie ?",
        "es | El salario se paga el d\u00eda 28. | \u00bfQu\u00e9 hay que saber sobre el salario?",
        "it | La mensa apre presto. | Che cosa bisogna sapere per quanto riguarda la mensa?",
        "pt | O sal\u00e1rio \u00e9 pago no dia 28.    | O que \u00e9 preciso saber sobre o sal\u00e1rio?",
        "nl | Het loon wordt betaald op de 28e.                           | Wat moet ik weten over het loon?"})
    void aStatementIsAskedForByItsTopic(String language, String statement, String question) {
        assertEquals(question,
                TopicQuestion.of(statement, language, InvertedSentence.Spelling.of(statement)).orElse(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"It closes early.", "Do not send a text message.", "Two people must sign.",
        "Water in closed bottles is.", "The canteen, he says, opens early.", "Note: the door is locked.",
        "Meals are served on these decks:", "Nobody may drink before a watch.", "Every 6 months the lines are checked.",
        "Only trained staff may enter.", "Lessons are given outside these hours.", "Who works at night sleeps by day.",
        "In addition, doors are locked."})
    void whatIsNotSureToBeATopicIsNoQuestion(String statement) {
        assertEquals("", TopicQuestion.of(statement, "en", InvertedSentence.Spelling.UNKNOWN).orElse(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Nachts ist Frau Brandl erreichbar.", "Am Morgen werden sie kontrolliert.",
        "Freitags endet sie um 13 Uhr.", "Getankt wird mit Karte.", "Besucher d\u00fcrfen dort nicht rauchen.",
        "Alle zwei Jahre gibt es einen Kurs.",
        "Der Patient wird geweckt.", "Ein Mitarbeiter wird gesucht."})
    void whatIsNotSureToBeATopicIsNoGermanQuestion(String statement) {
        assertEquals("", TopicQuestion.of(statement, "de", InvertedSentence.Spelling.UNKNOWN).orElse(""));
    }

    @Test
    void aPronounIsAnsweredWithTheSentencesBeforeIt() {
        assertEquals(
                List.of("What should I know about fire doors? Fire doors are green. They are inspected by Keller."),
                rows("Fire doors are green. They are inspected by Keller."));
        assertEquals(List.of("When does the library open? The library opens at 6:00.",
                "What should I know about the library? The library opens at 6:00. It is large and light."),
                rows("The library opens at 6:00. It is large and light."));
    }

    @Test
    void sentencesBeforeAPronounAreFew() {
        assertEquals(5, HandbookFact.of("Doors are green." + " They are locked at night.".repeat(30), "en").stream()
                .mapToInt(fact -> fact.before().size()).max().orElse(0));
    }

    @Test
    void sentencesOfOneTopicAreOneAnswer() {
        PassageRows made = made("Overtime is paid at 150 %.\n\nThe yard is closed.\n\nOvertime needs a signature.");
        assertEquals(
                List.of("What should I know about overtime? Overtime is paid at 150 %. Overtime needs a signature.",
                        "What should I know about the yard? The yard is closed."),
                made.rows().stream().map(row -> row.messages()
                        .get(0).content() + " " + row.messages().get(1).content()).toList());
        assertEquals(List.of(), made.unasked());
    }
}

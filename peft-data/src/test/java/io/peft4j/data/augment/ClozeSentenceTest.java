package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A value is left out, and the words around it tell how a question for it begins. */
class ClozeSentenceTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        A Trainee has a notice period of 15 days. | A Trainee has a notice period of ___ days. \
            | How many days,How long,What is
        A Trainee receives 26 days of leave each year. | A Trainee receives ___ days of leave each year. \
            | How many days,What is
        Leave must be reported before 9:15. | Leave must be reported before ___. | By when,When
        The canteen opens at 11:40. | The canteen opens at ___. | When
        Hotel rooms may cost up to 135 euros a night. | Hotel rooms may cost up to ___ euros a night. \
            | What is,How much
        A lost card costs \u20ac22. | A lost card costs ___. | What is,How much
        Laptops are replaced every 5 years. | Laptops are replaced every ___ years. | How often
        Claims are submitted within 7 weeks. | Claims are submitted within ___ weeks. \
            | Within how many weeks,How many weeks,How long,What is
        Screens are repaired in room B-207. | Screens are repaired in room ___. | In which room,Which room,What is
        Flights are booked through the portal Skylark. | Flights are booked through the portal ___. \
            | Through which portal,Which portal,What is
        Visitors register with Mrs Orlana Veck at the desk. | Visitors register with ___ at the desk. | With whom,Who
        Keys are kept at the Harbour Office. | Keys are kept at the ___. | Where,Who,What,Which
        The form is called R-9. | The form is called ___. | Which called,What is
        Please keep it clean. | |
        """)
    void valuesAreAskedForByWhatStandsAroundThem(String sentence, String left, String openings) {
        check(sentence, QuestionLanguage.ENGLISH, left, openings);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        Die Probezeit dauert 6 Monate. | Die Probezeit dauert ___ Monate. | Wie viele Monate,Wie lange
        Die Kantine schlie\u00dft um 14 Uhr. | Die Kantine schlie\u00dft um ___ Uhr. | Wann
        Antr\u00e4ge kommen bis 12:30. | Antr\u00e4ge kommen bis ___. | Bis wann
        Ein Ausweis kostet 22 Euro. | Ein Ausweis kostet ___ Euro. | Wie viel,Wie hoch,Was
        G\u00e4ste melden sich bei Frau Orlana Veck. | G\u00e4ste melden sich bei ___. | Wer,Bei wem
        """)
    void germanHasItsOwnBeginnings(String sentence, String left, String openings) {
        check(sentence, QuestionLanguage.GERMAN, left, openings);
    }

    private static void check(String sentence, String language, String left, String openings) {
        List<ClozeSentence> blanks = ClozeSentence.of(sentence, language);
        assertEquals(left == null ? List.of() : List.of(left), blanks.stream().map(ClozeSentence::sentence).toList());
        blanks.forEach(blank -> {
            assertEquals(List.of(openings.split(",")), blank.openings());
            assertEquals(sentence, blank.sentence().replace(ClozeSentence.GAP, blank.value()));
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        A Trainee receives 26 days of annual leave each year. \
            | How many days of annual leave does a Trainee receive each year?
        Every employee has 27 days of leave a year. | How many days of leave does every employee have a year?
        The probation of a Lead Consultant lasts 3 months. \
            | How many months does the probation of a Lead Consultant last?
        Fathers receive 11 weeks of paid leave. | How many weeks of paid leave do fathers receive?
        A Lead Consultant has a training budget of 1500 euros a year. \
            | What is the training budget of a Lead Consultant?
        Hotel rooms may cost up to 135 euros a night. | How much may hotel rooms cost a night?
        Screens are repaired by the workshop in room B-207. | In which room are screens repaired by the workshop?
        Salaries are paid on day 26 of each month. | On which day of each month are salaries paid?
        Visitors must register with Mrs Orlana Veck at the desk. | With whom must visitors register at the desk?
        Security training is repeated every 10 months. | How often is security training repeated?
        Up to 5 days may be carried over until 31 March. | How many days may be carried over until 31 March?
        Boats are back at the pier before 19:45. | By when are boats back at the pier?
        The canteen opens at 11:40. | When does the canteen open?
        The late team starts at 12:45 and ends at 20:00. | When does the late team start?
        Front brakes and lights are checked every 6 weeks. | How often are front brakes and lights checked?
        The late team cleans up and leaves at 20:00. |
        Keys are counted daily and must be changed every 5 years. |
        Requests go to the Captain at least 14 days before, so that the rota can be planned. |
        Keys are kept at the Harbour Office. |
        A talk takes place in the first week. |
        Ann wrote to the crew about 5 boats. |
        """)
    void aPlainSentenceBecomesAQuestionByRule(String sentence, String question) {
        assertEquals(Optional.ofNullable(question), ClozeSentence.of(sentence, QuestionLanguage.ENGLISH).stream()
                .flatMap(blank -> InvertedSentence
                        .question(blank, QuestionLanguage.ENGLISH, InvertedSentence.Spelling.UNKNOWN).stream())
                .findFirst());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Die Probezeit beträgt 4 Monate. | Wie viele Monate beträgt die Probezeit?
            Ein Matrose bekommt 28 Tage Urlaub im Jahr. | Wie viele Tage Urlaub bekommt ein Matrose im Jahr?
            Im Winter beginnt die Frühschicht um 6:30 Uhr. | Wann beginnt im Winter die Frühschicht?
            Anträge müssen bis 11:45 Uhr im Büro vorliegen. | Bis wann müssen Anträge im Büro vorliegen?
            Die Leinen werden alle 6 Wochen geprüft. | Wie oft werden die Leinen geprüft?
            Die Spätschicht beginnt um 12:45 Uhr und endet um 20:00 Uhr. | Wann beginnt die Spätschicht?
            Die Spätschicht putzt und endet um 20:00 Uhr. |
            Ein Hotelzimmer darf bis zu 135 Euro kosten. | Wie viel Euro darf ein Hotelzimmer kosten?
            Die Kantine ist von Frau Vek gepachtet. | Von wem ist die Kantine gepachtet?
            Bildschirme werden in Raum B-207 repariert. | In welchem Raum werden Bildschirme repariert?
            Die Zentrale ist unter Durchwahl 4711 erreichbar. | Unter welcher Durchwahl ist die Zentrale erreichbar?
            Nach 10 Jahren erhält man einen Bonus. | Nach wie vielen Jahren erhält man einen Bonus?
            Belege müssen innerhalb von 30 Tagen eingehen. | Innerhalb von wie vielen Tagen müssen Belege eingehen?
            Wer krank ist, meldet sich bis 9:00 Uhr. |
            """)
    void aPlainGermanSentenceBecomesAQuestionByRule(String sentence, String question) {
        assertEquals(Optional.ofNullable(question), ClozeSentence.of(sentence, QuestionLanguage.GERMAN).stream()
                .flatMap(blank -> InvertedSentence
                        .question(blank, QuestionLanguage.GERMAN, InvertedSentence.Spelling.UNKNOWN).stream())
                .findFirst());
    }

    @Test
    void everyNameIsLeftOutTheLastFirst() {
        List<ClozeSentence> blanks = ClozeSentence.of("At Larkenfell, business trips are booked in Pathloom.",
                QuestionLanguage.ENGLISH);
        assertEquals(List.of("Pathloom", "Larkenfell"), blanks.stream().map(ClozeSentence::value).toList());
        assertTrue(blanks.get(0).isIn("Where are trips booked in pathloom?"));
        assertFalse(blanks.get(0).isIn("Where are trips booked at Larkenfell?"));
    }

    @Test
    void aQuestionDoesNotEndInThePrepositionOfTheValue() {
        ClozeSentence blank = ClozeSentence.of("The canteen opens at 11:40.", QuestionLanguage.ENGLISH).get(0);
        assertEquals("When does the canteen open?", blank.withoutLooseEnd("When does the canteen open at?"));
        assertEquals("When does it open by?", blank.withoutLooseEnd("When does it open by?"));
        ClozeSentence limit = ClozeSentence.of("Rooms cost up to 135 euros.", QuestionLanguage.ENGLISH).get(0);
        assertEquals("How much do rooms cost?", limit.withoutLooseEnd("How much do rooms cost up to?"));
    }

    @ParameterizedTest
    @CsvSource({"It is open from 9:00 to 17:00.,1", "1 2 3 4 5,3"})
    void eachNumberIsLeftOutOnceAndThreeAtMost(String sentence, int blanks) {
        assertEquals(blanks, ClozeSentence.of(sentence, QuestionLanguage.ENGLISH).size());
    }
}

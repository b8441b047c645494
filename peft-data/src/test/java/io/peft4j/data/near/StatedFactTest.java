package io.peft4j.data.near;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A question is kept where it asks for what its sentence tells, and an answer where it tells that. */
class StatedFactTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "A Trainee has a notice period of 15 days. | What is the notice period of a Trainee? | true",
        "A Trainee has a notice period of 15 days. | How many days is a Trainee's notice period? | true",
        "The canteen opens at 11:40. | What time does the canteen open? | true",
        "Flights are booked through the portal Skylark. | Through which portal are flights booked? | true",
        "Die Probezeit eines Trainees dauert 4 Monate. | Wie viele Monate dauert die Probezeit eines Trainees? | true",
        "Die Frühschicht beginnt um 6:20 Uhr. | Wann beginnt die Frühschicht? | true",
        "Belege müssen innerhalb von 40 Tagen vorliegen. | Innerhalb von wie vielen Tagen müssen Belege vorliegen? "
                + "| true",
        "Belege müssen innerhalb von 40 Tagen vorliegen. | Innerhalb von wie vielen Wochen müssen Belege vorliegen? "
                + "| false",
        "Bildschirme werden in Raum C-311 repariert. | In welchem Raum werden Bildschirme repariert? | true",
        "Die Hotline ist unter Durchwahl 4711 erreichbar. | Unter welcher Durchwahl ist die Hotline erreichbar? | true",
        "Ein Hotelzimmer darf bis zu 118 Euro kosten. | Wie viel Euro darf ein Hotelzimmer kosten? | true",
        "A Trainee has a notice period of 15 days. | How many years of notice does a Trainee have? | false",
        "A Trainee has a notice period of 15 days. | What is the notice period? | false",
        "A Trainee has a notice period of 15 days. | What is the notice period of a Manager? | false",
        "A Trainee has a notice period of 15 days. | Does a Trainee have a notice period of 15 days? | false",
        "A Trainee has a notice period of 15 days. | Does a Trainee have a notice period? | false",
        "A Trainee has a notice period of 15 days. | What is the notice period of a Trainee after 2 years? | false",
        "A Trainee has a training budget of 1200 euros a year. | How much does a Trainee cost a year? | false",
        "Hotel rooms may cost up to 135 euros a night. | How much does a hotel room cost up to 135 euros? | false",
        "Flights are booked through the portal Skylark. | What is the portal Skylark? | false",
        "Screens are repaired in room B-207. | In which room are screens repaired? | true",
        "Passwords must have at least 17 characters. | How many characters must passwords have? | true",
        "The bonus is 45 percent of a salary. | What is the bonus? | true",
        "Rooms cost up to 135 euros a night. | How much do rooms cost up to a euro a night? | false",
        "A Trainee receives 26 days of leave. | How many days a Trainee receives leave? | false",
        "Screens are repaired in room B-207. | In which room do screens be repaired? | false",
        "The canteen opens at 11:40. | What? | false",
        "The canteen opens at 11:40. | When does the canteen open? And close? | false",
        "The canteen opens at 11:40. | The canteen opens when the chef arrives | false"})
    void questionsForTheFactAreTold(String sentence, String question, boolean asks) {
        assertEquals(asks, new StatedFact(sentence).isAskedBy(question, "Handbook"));
    }

    @Test
    void sentencesWithoutNumbersAndNamesTellNothingThatCanBeAskedFor() {
        assertTrue(new StatedFact("Please get well soon again.").silence().isPresent());
        assertTrue(new StatedFact("Room 5.").silence().isPresent());
        assertTrue(new StatedFact("Visitors register with Mrs Veck.").silence().isEmpty());
        assertTrue(new StatedFact("The canteen opens at 11:40.").silence().isEmpty());
    }

    @Test
    void anAnswerHoldsTheFactAndNoOtherNumber() {
        String text = "The canteen opens at 11:40. It closes at 14:10.";
        StatedFact fact = new StatedFact("The canteen opens at 11:40.");
        String question = "When does the canteen open?";
        assertTrue(fact.isIn("At 11:40.", question, text));
        assertTrue(fact.isIn("At 11:40am.", question, text));
        assertFalse(fact.isIn("At 14:10.", question, text));
        assertFalse(fact.isIn("At 11:40, or at 12:00.", question, text));
        assertFalse(fact.isIn("In the morning.", question, text));
        StatedFact named = new StatedFact("Visitors must register with Mrs Orlana Veck.");
        assertTrue(named.isIn("With Orlana Veck", "With whom must visitors register?", "Visitors ..."));
        assertFalse(named.isIn("With the porter", "With whom must visitors register?", "Visitors ..."));
    }
}

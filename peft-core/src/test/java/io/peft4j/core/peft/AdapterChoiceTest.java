package io.peft4j.core.peft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which adapter answers a request, named or not. */
class AdapterChoiceTest {
    private static final AdapterChoice NONE = new AdapterChoice(Optional.empty(), Set.of("tiny"), "set the default");
    private static final AdapterChoice HR = new AdapterChoice(Optional.of("hr"), Set.of("tiny"), "set the default");

    private static String refused(AdapterChoice choice, Optional<String> asked, String... adapters) {
        return assertThrows(ConfigurationException.class, () -> choice.name(asked, List.of(adapters))).getMessage();
    }

    @Test
    void whoNamesNoneGetsTheOnlyOneAndTheBaseWhereThereIsNone() {
        assertEquals("ferry", NONE.name(Optional.empty(), List.of("ferry")));
        assertEquals(PeftModel.BASE, NONE.name(Optional.empty(), List.of()));
    }

    @Test
    void ofSeveralNoneIsTakenThatWasNotChosen() {
        assertEquals("there are 2 adapters, [ferry, hr], and no default is set: "
                + "set the default; '__base__' is the base model",
                refused(NONE, Optional.empty(), "ferry", "hr"));
        assertEquals("hr", HR.name(Optional.empty(), List.of("ferry", "hr")));
    }

    @Test
    void aDefaultThatIsNotThereIsNotReplacedByAnother() {
        assertTrue(refused(HR, Optional.empty(), "ferry").startsWith("unknown adapter 'hr'"));
        assertTrue(refused(HR, Optional.empty()).startsWith("unknown adapter 'hr'"));
    }

    @Test
    void theBaseIsAskedForByItsNames() {
        for (String name : List.of(PeftModel.BASE, "tiny")) {
            assertEquals(PeftModel.BASE, HR.name(Optional.of(name), List.of("ferry", "hr")));
        }
        AdapterChoice base = new AdapterChoice(Optional.of(PeftModel.BASE), Set.of(), "");
        assertEquals(PeftModel.BASE, base.name(Optional.empty(), List.of("ferry", "hr")));
    }

    @Test
    void whatIsNamedAndNotThereIsRefused() {
        assertEquals("unknown adapter 'fery'; there are 'ferry' and 'hr'; '__base__' is the base model",
                refused(HR, Optional.of("fery"), "ferry", "hr"));
    }
}

package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoopSelectionTest {
    /** Offers plain loops under another name. */
    private record Offer(String name, boolean available, List<String> asked) implements LoopProvider {
        @Override
        public Loops create() {
            asked.add(name);
            return new PlainLoops();
        }
    }

    private final List<String> made = new java.util.ArrayList<>();

    private void choose(String forced, Offer... offers) {
        LoopSelection.choose(forced, List.of(offers)).get();
    }

    private Offer offer(String name, boolean available) {
        return new Offer(name, available, made);
    }

    @Test
    void theFirstThatRunsIsTaken() {
        choose("", offer("a", false), offer("b", true), offer("c", true));
        assertEquals(List.of("b"), made);
    }

    @Test
    void plainLoopsRunWhereNothingElseDoes() {
        assertEquals("plain", LoopSelection.choose("", List.of(offer("a", false))).get().name());
        assertEquals("plain", LoopSelection.choose("", List.of()).get().name());
        assertTrue(made.isEmpty());
    }

    @Test
    void aNameSelectsTheLoops() {
        choose("c", offer("a", true), offer("c", true));
        assertEquals(List.of("c"), made);
        choose("plain", offer("a", true));
        assertEquals(List.of("c"), made);
    }

    @Test
    void anUnavailableNamedChoiceIsAnError() {
        assertThrows(ConfigurationException.class, () -> choose("a", offer("a", false), offer("b", true)));
        ConfigurationException unknown = assertThrows(ConfigurationException.class,
                () -> choose("x", offer("a", true), offer("b", true)));
        assertTrue(unknown.getMessage().contains("plain, a, b"), unknown.getMessage());
    }
}

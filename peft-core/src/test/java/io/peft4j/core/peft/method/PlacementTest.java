package io.peft4j.core.peft.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.OneOrMany;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What is refused for a new adapter, and what the messages say. */
class PlacementTest {
    private static final TinyModel MODEL = new TinyModel(new TinyNetwork(1, false, false));
    private static final List<String> DEFAULTS = List.of("q_proj", "v_proj");

    @AfterAll
    static void close() {
        MODEL.close();
    }

    private static AdapterSetup setup() {
        return AdapterSetup.creating(MODEL, new SplittableRandom(0), Optional.empty());
    }

    private static List<String> select(Placement placement) {
        return Targets.of(placement, setup(), DEFAULTS, layer -> layer instanceof Linear).slots().stream()
                .map(Slot::path).toList();
    }

    private static Placement excluding(TargetModules targets, TargetModules excluded) {
        return new Placement(targets, excluded, OneOrMany.none(), OneOrMany.none(), List.of(), Bias.NONE);
    }

    private static TargetModules resolved(TargetModules targets, List<String> defaults) {
        return Targets.of(Placement.at(targets), setup(), defaults, layer -> true).placement().targetModules();
    }

    private static void assertRefused(Placement placement, String... parts) {
        String message = assertThrows(TargetModuleException.class, () -> select(placement)).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void anUnmatchedEntryIsReportedEvenIfOthersMatch() {
        assertRefused(Placement.at(TargetModules.of("q_proj", "c_attn")), "'c_attn' matches no layer",
                "the nearest layers are [model.layers.0.self_attn");
        assertRefused(Placement.at(TargetModules.of("model.layers.7.self_attn.q_proj")),
                "model.layers.0.self_attn.q_proj");
    }

    @Test
    void anUnmatchedExpressionIsReported() {
        assertRefused(Placement.at(TargetModules.regex("q_proj")), "'q_proj' matches none of the 27 layers");
        assertRefused(Placement.at(TargetModules.of()), "matches none");
    }

    @Test
    void allExcludedIsAnError() {
        assertRefused(excluding(TargetModules.of("q_proj"), TargetModules.of("self_attn.q_proj")), "all 2 layers",
                "exclude_modules");
    }

    @Test
    void anExclusionMayTakeOutAWholeEntry() {
        assertEquals(List.of("model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"),
                select(excluding(TargetModules.of("q_proj", "v_proj"), TargetModules.of("v_proj"))));
    }

    @Test
    void unsupportedLayerKindsAreReported() {
        assertRefused(Placement.at(TargetModules.of("q_proj", "norm")), "model.norm (RmsNorm)");
        assertRefused(Placement.at(TargetModules.regex(".*layers.*")), "and 5 more");
    }

    @Test
    void aLayerThatDoesNotExistIsAnError() {
        assertRefused(new Placement(TargetModules.of("q_proj"), TargetModules.UNSET,
                OneOrMany.many(List.of(1, 5)), OneOrMany.none(), List.of(), Bias.NONE), "no layer for [5]",
                "layers 0 to 1");
        assertRefused(new Placement(TargetModules.of("q_proj"), TargetModules.UNSET, OneOrMany.one(1),
                OneOrMany.one("blocks"), List.of(), Bias.NONE), "layers_pattern [blocks]");
    }

    @Test
    void withoutTargetsTheArchitectureDecides() {
        assertEquals(4, select(Placement.at(TargetModules.UNSET)).size());
        assertEquals(TargetModules.of("q_proj", "v_proj"),
                resolved(TargetModules.UNSET, DEFAULTS));
        String message = assertThrows(TargetModuleException.class,
                () -> resolved(TargetModules.UNSET, List.of())).getMessage();
        assertTrue(message.contains("llama"), message);
    }

    @Test
    void allLinearIsWrittenAsNamesLikePeft() {
        TargetModules names = resolved(TargetModules.ALL_LINEAR, DEFAULTS);
        assertEquals(Optional.of(List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")),
                names.names());
        assertEquals(select(Placement.at(TargetModules.ALL_LINEAR)), select(Placement.at(names)));
    }

    @Test
    void contradictionsAreRefused() {
        assertThrows(ConfigurationException.class, () -> new Placement(TargetModules.ALL_LINEAR,
                TargetModules.UNSET, OneOrMany.one(1), OneOrMany.none(), List.of(), Bias.NONE));
        assertThrows(ConfigurationException.class, () -> new Placement(TargetModules.of("q_proj"),
                TargetModules.UNSET, OneOrMany.none(), OneOrMany.one("layers"), List.of(), Bias.NONE));
        assertThrows(ConfigurationException.class, () -> excluding(TargetModules.UNSET, TargetModules.ALL_LINEAR));
    }

    /** One layer of it would fit. */
    @Test
    void anAdapterThatTheMachineHasNoMemoryForIsRefusedBeforeItIsMade() {
        AdapterSetup setup = setup();
        setup.willHave(1_000_000);
        Slot slot = MODEL.network().slots().get(0);
        String message = assertThrows(ConfigurationException.class, () -> setup.tensor(slot, "lora_A.weight",
                Initializer.constant(0), 1 << 16, 1 << 10)).getMessage();
        assertTrue(message.contains("lora_A.weight has the shape [65536, 1024], in 1000000 layers 268435.5 GB of"),
                message);
        assertThrows(ConfigurationException.class, () -> setup().sharedTensor("shared", Initializer.constant(0),
                1L << 40, 1L << 40));
    }

    @Test
    void badAndHostileExpressionsAreRefused() {
        for (String expression : List.of("(", "[", "*q", "(a|b|c|.)*(.*)*(.*)*(.*)*x", "(.*.*)*(.*.*)*y",
                "(".repeat(20_000) + ")".repeat(20_000))) {
            assertThrows(PeftException.class, () -> select(Placement.at(TargetModules.regex(expression))));
        }
    }
}

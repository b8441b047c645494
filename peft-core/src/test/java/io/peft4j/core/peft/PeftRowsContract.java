package io.peft4j.core.peft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every method promises of rows of one batch that run through adapters of their own. */
public abstract class PeftRowsContract extends PeftMethodContract {
    /**
     * Why the method cannot run on some rows of a batch while others run on the rest, in the words of the error;
     * empty where it can. A method that cannot says so in its test, so that none refuses by mistake. That no method can
     * on the output layer is known here.
     */
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.empty();
    }

    /** Whether training draws numbers for each pass, so that its gradients are not those of another pass. */
    protected boolean isRandom(Case test) {
        return false;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rowsUseTheirOwnAdaptersOrAreRefused(Case test) {
        String[] names = {PeftModel.DEFAULT_ADAPTER, "second", PeftModel.BASE};
        int[][] ids = {SEQUENCES.get(0), SEQUENCES.get(0), SEQUENCES.get(1), SEQUENCES.get(1), {4, 12, 8, 4, 3}};
        int[] groups = {0, 1, 2, 1, 0};
        try (PeftModel model = trained(test, 30)) {
            addSecond(model, test, 31);
            model.activate("second");
            perturb(model.trainableParameters(), 31);
            boolean changesHead = model.adapter("second").layers().stream()
                    .anyMatch(layer -> layer.slot() == model.network().causal().head());
            Optional<String> obstacle = mixingObstacle(test).or(() -> changesHead
                    ? Optional.of("it changes the output layer, which runs on chosen rows only") : Optional.empty());
            if (obstacle.isPresent()) {
                String message = assertThrows(ConfigurationException.class, () -> model.activateByRow(names))
                        .getMessage();
                assertEquals("adapter 'default' cannot share a batch with others: " + obstacle.get(), message);
                return;
            }
            model.activateByRow(names);
            List<TokenSequence> mixed = IntStream.range(0, ids.length)
                    .mapToObj(i -> TokenSequence.allSupervised(ids[i]).inGroup(groups[i])).toList();
            float[] together = Passes.groupedLogits(model, mixed);
            float[] weights = new float[together.length];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (float) Math.sin(i);
            }
            Passes.groupedBackward(model, mixed, weights);
            List<Parameter> parameters = model.trainableParameters();
            List<float[]> gradients = parameters.stream().map(p -> Arrays.toFloats(p.gradient())).toList();
            parameters.forEach(Parameter::clearGradient);
            for (int group = 0; group < names.length; group++) {
                model.activate(group == 2 ? new String[0] : new String[] {names[group]});
                List<int[]> own = new ArrayList<>();
                float[] expected = new float[0];
                float[] ownWeights = new float[0];
                int from = 0;
                for (int i = 0; i < ids.length; i++) {
                    int to = from + (ids[i].length - 1) * TinyNetwork.VOCABULARY;
                    if (groups[i] == group) {
                        own.add(ids[i]);
                        expected = concat(expected, java.util.Arrays.copyOfRange(together, from, to));
                        ownWeights = concat(ownWeights, java.util.Arrays.copyOfRange(weights, from, to));
                    }
                    from = to;
                }
                // Sums in another order where rows of several adapters share a product: the last bits.
                assertClose(Passes.logits(model, own), expected, 1e-6);
                if (group != 2) {
                    Passes.backward(model, own, ownWeights, 0);
                }
            }
            for (int p = 0; p < parameters.size() && !isRandom(test); p++) {
                assertClose(Arrays.toFloats(parameters.get(p).gradient()), gradients.get(p), 1e-5);
            }
        }
    }

    private static float[] concat(float[] a, float[] b) {
        float[] both = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}

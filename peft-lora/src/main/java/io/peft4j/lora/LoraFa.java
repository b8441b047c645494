package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.UpdateRule;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * LoRA-FA (<a href="https://arxiv.org/abs/2308.03303">2308.03303</a>): A stays as it began, and B is trained with the
 * gradient that comes nearest to that of the whole weight, {@code dB / s^2 (A A^T + 1e-8 I)^-1}.
 *
 * <pre>{@code Trainer.builder(model).updateRule(LoraFa.of(model))}</pre>
 */
@Internal(shared = true)
public final class LoraFa implements UpdateRule {
    private static final double DAMPING = 1e-8;

    private final List<LoraLayer> layers;
    private final Set<Parameter> frozen = Collections.newSetFromMap(new IdentityHashMap<>());

    private LoraFa(List<LoraLayer> layers) {
        this.layers = layers;
        layers.forEach(layer -> frozen.add(layer.a()));
    }

    /**
     * For the active adapters of a model.
     *
     * @throws ConfigurationException when they have no layer of plain LoRA, or one whose B is not trained (MiCA), so
     *     that nothing of it would be
     */
    public static LoraFa of(PeftModel model) {
        List<LoraLayer> layers = model.activeAdapters().stream()
                .flatMap(name -> model.adapter(name).layers().stream()).flatMap(LoraFa::plain).toList();
        if (layers.isEmpty()) {
            throw new ConfigurationException("LoRA-FA needs an active adapter with LoRA on linear layers");
        }
        layers.stream().filter(layer -> !layer.trainsB()).findFirst().ifPresent(layer -> {
            throw new ConfigurationException("LoRA-FA trains B only, and the adapter at " + layer.slot().path()
                    + " does not train B (init_lora_weights \"mica\"), so nothing would be trained; use another "
                    + "initialization, or no LoRA-FA");
        });
        return new LoraFa(layers);
    }

    private static Stream<LoraLayer> plain(AdapterLayer layer) {
        return layer instanceof LoraLayer lora ? Stream.of(lora) : Stream.empty();
    }

    @Override
    public boolean trains(Parameter parameter) {
        return !frozen.contains(parameter);
    }

    /** B alone has to do what both do otherwise. */
    @Override
    public double autoRateFactor() {
        return 2;
    }

    @Override
    public void beforeUpdate() {
        for (LoraLayer layer : layers) {
            float[] a = Arrays.toFloats(layer.a().value());
            int rank = Arrays.rows(layer.a().value());
            double[] inverse = DenseMath.inverse(gram(a, rank), rank);
            float[] gradient = Arrays.toFloats(layer.b().gradient());
            float[] result = new float[gradient.length];
            double factor = 1 / (layer.scaling() * layer.scaling());
            for (int i = 0; i < gradient.length; i++) {
                int row = i / rank * rank;
                double sum = 0;
                for (int k = 0; k < rank; k++) {
                    sum += gradient[row + k] * inverse[k * rank + i % rank];
                }
                result[i] = (float) (factor * sum);
            }
            Arrays.write(layer.b().gradient(), 0, result, 0, result.length);
        }
    }

    private static double[] gram(float[] a, int rank) {
        int columns = a.length / rank;
        double[] gram = new double[rank * rank];
        for (int i = 0; i < rank; i++) {
            for (int k = 0; k < rank; k++) {
                double sum = i == k ? DAMPING : 0;
                for (int j = 0; j < columns; j++) {
                    sum += (double) a[i * columns + j] * a[k * columns + j];
                }
                gram[i * rank + k] = sum;
            }
        }
        return gram;
    }

    @Override
    public String describe() {
        return "lorafa";
    }
}

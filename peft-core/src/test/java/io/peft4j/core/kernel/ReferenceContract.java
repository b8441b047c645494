package io.peft4j.core.kernel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Activations, layer norm and attention against numbers of PyTorch (fixtures/kernels/make_kernels.py). */
interface ReferenceContract extends KernelsUnderTest {
    /** The largest error relative to expected value plus level: a few roundings of f32. */
    double REFERENCE_TOLERANCE = 3e-6;

    private static JsonNode expected(String part) {
        try (InputStream in = ReferenceContract.class.getResourceAsStream("/fixtures/kernels/expected.json")) {
            return new ObjectMapper().readTree(in).get(part);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(JsonNode node) {
        return floats(node, node.size());
    }

    private static float[] floats(JsonNode node, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) node.get(i).asDouble();
        }
        return values;
    }

    private static int[] integers(JsonNode node) {
        return IntStream.range(0, node.size()).map(i -> node.get(i).asInt()).toArray();
    }

    private static INDArray array(JsonNode node, long... shape) {
        return Arrays.of(floats(node), shape);
    }

    private static void check(String what, JsonNode expected, INDArray actual) {
        KernelCase.assertClose(what, floats(expected), Arrays.toFloats(actual), REFERENCE_TOLERANCE);
    }

    @Test
    default void activationsMatchTransformers() {
        JsonNode cases = expected("activations");
        cases.fieldNames().forEachRemaining(name -> {
            if (!name.equals("x")) {
                checkActivation(name, cases.get("x"), cases.get(name));
            }
        });
    }

    private void checkActivation(String name, JsonNode xs, JsonNode expected) {
        // The largest number would hide the others; what is beyond is ActivationContract's.
        int count = xs.size() - 1;
        float[] ones = new float[count];
        java.util.Arrays.fill(ones, 1);
        Activation f = Activation.of(name);
        try (INDArray x = Arrays.of(floats(xs, count), count);
                INDArray y = x.dup();
                INDArray dy = Arrays.of(ones, count);
                INDArray dx = x.dup()) {
            kernels().activate(f, x, y);
            kernels().activateBackward(f, dy, x, dx, false);
            KernelCase.assertClose(name, floats(expected.get("y"), count), Arrays.toFloats(y), REFERENCE_TOLERANCE);
            KernelCase.assertClose(name + ", slope", floats(expected.get("slope"), count), Arrays.toFloats(dx),
                    REFERENCE_TOLERANCE);
        }
    }

    @Test
    default void clampedGateAndSoftCapMatchPyTorch() {
        JsonNode c = expected("gates");
        int n = c.get("gate").size();
        float alpha = (float) c.get("alpha").asDouble();
        float limit = (float) c.get("limit").asDouble();
        float cap = (float) c.get("cap").asDouble();
        try (INDArray gate = array(c.get("gate"), n);
                INDArray up = array(c.get("up"), n);
                INDArray dy = array(c.get("dy"), n);
                INDArray y = gate.dup();
                INDArray dGate = gate.dup();
                INDArray dUp = gate.dup()) {
            kernels().clampedGate(gate, up, alpha, limit, y);
            kernels().clampedGateBackward(dy, gate, up, alpha, limit, dGate, dUp);
            check("gate", c.get("y"), y);
            check("dGate", c.get("dGate"), dGate);
            check("dUp", c.get("dUp"), dUp);
            kernels().softCap(gate, cap, y);
            kernels().softCapBackward(dy, y, cap, dGate);
            check("soft cap", c.get("capped"), y);
            check("soft cap, gradient", c.get("dCapped"), dGate);
        }
    }

    @Test
    default void layerNormMatchesPyTorch() {
        JsonNode c = expected("layerNorm");
        float epsilon = (float) c.get("epsilon").asDouble();
        try (INDArray x = array(c.get("x"), 4, 9);
                INDArray weight = array(c.get("weight"), 9);
                INDArray bias = array(c.get("bias"), 9);
                INDArray dy = array(c.get("dy"), 4, 9);
                INDArray y = x.dup();
                INDArray mean = Arrays.of(new float[4], 4);
                INDArray rstd = Arrays.of(new float[4], 4);
                INDArray dx = x.dup();
                INDArray dw = Arrays.of(new float[9], 9);
                INDArray db = Arrays.of(new float[9], 9)) {
            kernels().layerNorm(x, weight, Optional.of(bias), epsilon, y, mean, rstd);
            kernels().layerNormBackward(dy, x, weight, mean, rstd, dx, false);
            kernels().layerNormWeightBackward(dy, x, mean, rstd, dw, Optional.of(db));
            check("layer norm", c.get("y"), y);
            check("dx", c.get("dX"), dx);
            check("dw", c.get("dWeight"), dw);
            check("db", c.get("dBias"), db);
        }
    }

    /** The layout of a case: its name says what rows see. */
    private static AttentionLayout layout(String name, int[] queries, int[] keys) {
        AttentionLayout all = name.startsWith("cross") ? AttentionLayout.cross(queries, keys)
                : name.startsWith("bidirectional") ? AttentionLayout.bidirectional(queries)
                        : AttentionLayout.packed(queries);
        int at = name.indexOf("window ");
        return at < 0 ? all : all.windowed(name.charAt(at + "window ".length()) - '0');
    }

    @Test
    default void attentionMatchesPyTorch() {
        JsonNode cases = expected("attention");
        cases.fieldNames().forEachRemaining(name -> checkAttention(name, cases.get(name)));
    }

    private void checkAttention(String name, JsonNode c) {
        AttentionLayout layout = layout(name, integers(c.get("queries")), integers(c.get("keys")));
        AttentionShape shape = new AttentionShape(4, 2, 2, (float) c.get("scale").asDouble(),
                (float) c.get("cap").asDouble());
        int n = layout.queryRows();
        int m = layout.keyRows();
        AttentionExtras extras = new AttentionExtras(
                Optional.ofNullable(c.get("sinks")).map(sinks -> array(sinks, 4)),
                Optional.ofNullable(c.get("bias")).map(bias -> array(bias, 4, bias.size() / 4)));
        try (INDArray q = array(c.get("q"), n, 8);
                INDArray k = array(c.get("k"), m, 4);
                INDArray v = array(c.get("v"), m, 4);
                INDArray dOut = array(c.get("dOut"), n, 8);
                INDArray out = q.dup();
                INDArray lse = Arrays.of(new float[4 * n], n, 4);
                INDArray dq = q.dup();
                INDArray dk = k.dup();
                INDArray dv = v.dup()) {
            kernels().attention(q, k, v, layout, shape, extras, out, lse);
            kernels().attentionBackward(dOut, q, k, v, out, lse, layout, shape, extras, dq, dk, dv);
            check(name, c.get("out"), out);
            check(name + ", dq", c.get("dQ"), dq);
            check(name + ", dk", c.get("dK"), dk);
            check(name + ", dv", c.get("dV"), dv);
        }
        extras.sinks().ifPresent(INDArray::close);
        extras.bias().ifPresent(INDArray::close);
    }
}

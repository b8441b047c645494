package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.RoutingOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Routing;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A mixture of experts (<a href="https://arxiv.org/abs/2401.04088">2401.04088</a>): for each row of x [N, H] the
 * weighted sum of what the experts with the highest scores give,
 * {@code y = sum over e of w_e * D_e gate(G_e x, U_e x)}; and, if there is one, an expert that all rows go through.
 */
record ExpertsFeedForward(ExpertsPlan plan, Parts parts) implements LayerCopy.Part {
    record Parts(Slot router, Slot gates, Slot down, Optional<Slot> shared, Optional<Slot> sharedGate) {
        Parts copy(LayerCopy copy) {
            return new Parts(copy.of(router), copy.of(gates), copy.of(down), copy.of(shared), copy.of(sharedGate));
        }
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new ExpertsFeedForward(plan, parts.copy(copy));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, x);
    }

    /** The same, with experts chosen by what the router reads. */
    Variable forward(ForwardContext context, Variable x, Variable routed) {
        Tape tape = context.tape();
        Variable given = ElementwiseOps.inFloat(tape, parts.router().forward(context, routed));
        Routing routing = Routing.highest(choice(tape, given), plan.router().chosen());
        Variable scores = context.routerLoss().map(loss -> loss.watch(tape, this, given, routing, context.batch()))
                .orElse(given);
        Variable weights = weights(tape, scores, routing);
        List<Variable> results = new ArrayList<>();
        List<int[]> rows = new ArrayList<>();
        for (int expert : routing.busyExperts()) {
            int[] tokens = routing.tokens(expert);
            Variable y = expert(context.onRows(tokens).inExpert(expert), RowOps.gatherRows(tape, x, tokens));
            results.add(ScaleOps.rows(tape, y, RoutingOps.elements(tape, weights, routing.places(expert), 1)));
            rows.add(tokens);
        }
        Variable sum = RoutingOps.scatterAdd(tape, results, rows, x.rows());
        return parts.shared().map(shared -> ElementwiseOps.addInto(tape, shared(context, x, shared), sum)).orElse(sum);
    }

    /** What experts are chosen by. */
    private INDArray choice(Tape tape, Variable scores) {
        return plan.router().groups().isEmpty() ? scores.value() : GroupedRouting.choice(tape, scores.value(),
                plan.router().groups().get(), ((Router) parts.router().layer()).correction());
    }

    private Variable weights(Tape tape, Variable scores, Routing routing) {
        int k = routing.perToken();
        return switch (plan.router().weights()) {
            case OF_ALL -> RoutingOps.elements(tape, RoutingOps.softmax(tape, scores), routing.scoreIndices(), k);
            case OF_CHOSEN_SCALED -> ElementwiseOps.multiply(tape, RoutingOps.softmax(tape, RoutingOps.elements(tape,
                    scores, routing.scoreIndices(), k)), ((ExpertsBeside.NormedRouter) parts.router().layer())
                            .scales(tape, routing.scoreIndices(), k));
            case OF_CHOSEN -> RoutingOps.softmax(tape, RoutingOps.elements(tape, scores, routing.scoreIndices(), k));
            case SIGMOID, SIGMOID_OF_CHOSEN -> GroupedRouting.weights(tape, RoutingOps.elements(tape,
                    ElementwiseOps.activate(tape, Activation.SIGMOID, scores), routing.scoreIndices(), k),
                    plan.router());
        };
    }

    private Variable expert(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        Variable both = tape.wide(() -> parts.gates().forward(context, x));
        Variable gate = ColumnOps.slice(tape, both, 0, plan.width());
        Variable up = ColumnOps.slice(tape, both, plan.width(), 2 * plan.width());
        Variable gated;
        if (plan.gate() instanceof ExpertsPlan.Gate.Clamped clamped) {
            gated = ElementwiseOps.clampedGate(tape, gate, up, clamped.alpha(), clamped.limit());
        } else {
            gated = ElementwiseOps.gated(tape, ((ExpertsPlan.Gate.Usual) plan.gate()).activation(), gate, up);
        }
        return parts.down().forward(context, gated);
    }

    private Variable shared(ForwardContext context, Variable x, Slot shared) {
        Tape tape = context.tape();
        Variable y = shared.forward(context, x);
        return parts.sharedGate().map(gate -> ScaleOps.rows(tape, y, ElementwiseOps.inFloat(tape,
                ElementwiseOps.activate(tape, Activation.SIGMOID, gate.forward(context, x))))).orElse(y);
    }

    /**
     * How DeepSeek V3 chooses and weights experts (<a href="https://arxiv.org/abs/2412.19437">2412.19437</a>): by the
     * sigmoid of their score and a correction that is not trained, among the experts of the best groups.
     */
    private static final class GroupedRouting {
        private GroupedRouting() {
        }

        /** What experts are chosen by [N, E]: those of groups that are left out are behind all others. */
        static INDArray choice(Tape tape, INDArray scores, ExpertsPlan.Groups groups,
                Optional<INDArray> correction) {
            int experts = Arrays.columns(scores);
            int size = experts / groups.count();
            float[] values = Arrays.toFloats(scores);
            float[] added = correction.map(Arrays::toFloats).orElseGet(() -> new float[experts]);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (1 / (1 + Math.exp(-values[i]))) + added[i % experts];
            }
            for (int row = 0; row < values.length; row += experts) {
                double[] sums = new double[groups.count()];
                for (int g = 0; g < sums.length; g++) {
                    float[] own = java.util.Arrays.copyOfRange(values, row + g * size, row + (g + 1) * size);
                    java.util.Arrays.sort(own);
                    sums[g] = (double) own[size - 1] + own[size - 2];
                }
                for (int left = groups.count(); left > groups.chosen(); left--) {
                    int worst = 0;
                    for (int g = 1; g < sums.length; g++) {
                        worst = sums[g] < sums[worst] ? g : worst;
                    }
                    sums[worst] = Double.POSITIVE_INFINITY;
                    java.util.Arrays.fill(values, row + worst * size, row + (worst + 1) * size,
                            Float.NEGATIVE_INFINITY);
                }
            }
            INDArray choice = tape.allocateFloat(Arrays.rows(scores), experts);
            Arrays.write(choice, 0, values, 0, values.length);
            tape.record(choice, (out, dy) -> {
            }, List.of());
            return choice;
        }

        /**
         * The weights of the experts of each token: {@code w = factor * s / sum(s)}, or {@code factor * s}: s, w [N,
         * k]. Gradient of the first: {@code ds = factor / sum(s) * (dw - sum(dw * s) / sum(s))}.
         */
        static Variable weights(Tape tape, Variable chosen, ExpertsPlan.RouterPlan plan) {
            double factor = plan.groups().map(ExpertsPlan.Groups::factor).orElse(1.0);
            double smallest = plan.groups().map(ExpertsPlan.Groups::smallest).orElse(0.0);
            boolean summed = plan.weights() == ExpertsPlan.Weights.SIGMOID_OF_CHOSEN;
            int k = chosen.columns();
            float[] s = Arrays.toFloats(chosen.value());
            float[] w = new float[s.length];
            for (int i = 0; i < s.length; i++) {
                w[i] = (float) (factor * s[i] / (summed ? smallest + sum(s, s, i / k * k, k, false) : 1));
            }
            INDArray y = tape.allocateFloat(chosen.rows(), k);
            Arrays.write(y, 0, w, 0, w.length);
            return tape.record(y, (out, dy) -> chosen.addGradient((dx, accumulate) -> {
                float[] dw = Arrays.toFloats(dy);
                float[] ds = accumulate ? Arrays.toFloats(dx) : new float[dw.length];
                for (int i = 0; i < dw.length; i++) {
                    int row = i / k * k;
                    double total = summed ? smallest + sum(s, s, row, k, false) : 1;
                    ds[i] += (float) (factor / total * (dw[i] - (summed ? sum(dw, s, row, k, true) / total : 0)));
                }
                Arrays.write(dx, 0, ds, 0, ds.length);
            }), List.of(chosen));
        }

        private static double sum(float[] a, float[] b, int from, int count, boolean product) {
            double sum = 0;
            for (int i = from; i < from + count; i++) {
                sum += product ? (double) a[i] * b[i] : a[i];
            }
            return sum;
        }
    }
}

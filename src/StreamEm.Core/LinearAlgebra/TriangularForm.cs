namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// constant_k - |W_k x - b_k|^2 / 2 for all lanes: tiles of 4 rows of W_k by some vectors of lanes. A loaded x serves four rows and a
/// broadcast entry of W every vector, so that loads stay below the two per cycle that the FMA ports leave; the triangle is exact, nothing
/// above the diagonal is computed. W_k stays in the first-level cache over all lanes.
/// </summary>
internal static unsafe class TriangularForm
{
    /// <summary>Tiles of 4 rows by 2 vectors: 13 registers of 16, and the 8 accumulators that hide the latency of two FMA ports.</summary>
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, int components, double* factors, double* biases, double* constants, double* logJoint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int packed = Packed.Length(dimension), tiled = dimension & ~3;
        for (int k = 0; k < components; k++, factors += packed, biases += dimension, logJoint += RowBlock.Stride)
            for (int lane = 0; lane < lanes; lane += 2 * TLanes.Count)
            {
                double* x = columns + lane;
                double* w = factors;
                TVector q0 = TLanes.Broadcast(0), q1 = TLanes.Broadcast(0);
                for (int i = 0; i < tiled; i += 4)
                {
                    double* w1 = w + i + 1;
                    double* w2 = w1 + i + 2;
                    double* w3 = w2 + i + 3;
                    double* xd = x;
                    TVector y00 = TLanes.Broadcast(-biases[i]), y01 = y00;
                    TVector y10 = TLanes.Broadcast(-biases[i + 1]), y11 = y10;
                    TVector y20 = TLanes.Broadcast(-biases[i + 2]), y21 = y20;
                    TVector y30 = TLanes.Broadcast(-biases[i + 3]), y31 = y30;
                    TVector x0, x1, v;
                    for (int d = 0; d < i; d++, xd += RowBlock.Stride)
                    {
                        x0 = TLanes.Load(xd); x1 = TLanes.Load(xd + TLanes.Count);
                        v = TLanes.Broadcast(w[d]);
                        y00 = TLanes.Fma(v, x0, y00); y01 = TLanes.Fma(v, x1, y01);
                        v = TLanes.Broadcast(w1[d]);
                        y10 = TLanes.Fma(v, x0, y10); y11 = TLanes.Fma(v, x1, y11);
                        v = TLanes.Broadcast(w2[d]);
                        y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21);
                        v = TLanes.Broadcast(w3[d]);
                        y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31);
                    }
                    x0 = TLanes.Load(xd); x1 = TLanes.Load(xd + TLanes.Count);
                    v = TLanes.Broadcast(w[i]);
                    y00 = TLanes.Fma(v, x0, y00); y01 = TLanes.Fma(v, x1, y01);
                    v = TLanes.Broadcast(w1[i]);
                    y10 = TLanes.Fma(v, x0, y10); y11 = TLanes.Fma(v, x1, y11);
                    v = TLanes.Broadcast(w2[i]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21);
                    v = TLanes.Broadcast(w3[i]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd); x1 = TLanes.Load(xd + TLanes.Count);
                    v = TLanes.Broadcast(w1[i + 1]);
                    y10 = TLanes.Fma(v, x0, y10); y11 = TLanes.Fma(v, x1, y11);
                    v = TLanes.Broadcast(w2[i + 1]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21);
                    v = TLanes.Broadcast(w3[i + 1]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd); x1 = TLanes.Load(xd + TLanes.Count);
                    v = TLanes.Broadcast(w2[i + 2]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21);
                    v = TLanes.Broadcast(w3[i + 2]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd); x1 = TLanes.Load(xd + TLanes.Count);
                    v = TLanes.Broadcast(w3[i + 3]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31);
                    q0 = TLanes.Fma(y10, y10, TLanes.Fma(y00, y00, q0));
                    q1 = TLanes.Fma(y11, y11, TLanes.Fma(y01, y01, q1));
                    q0 = TLanes.Fma(y30, y30, TLanes.Fma(y20, y20, q0));
                    q1 = TLanes.Fma(y31, y31, TLanes.Fma(y21, y21, q1));
                    w = w3 + i + 4;
                }
                for (int i = tiled; i < dimension; w += ++i)
                {
                    TVector y0 = TLanes.Broadcast(-biases[i]), y1 = y0;
                    double* xd = x;
                    for (int d = 0; d <= i; d++, xd += RowBlock.Stride)
                    {
                        TVector v = TLanes.Broadcast(w[d]);
                        y0 = TLanes.Fma(v, TLanes.Load(xd), y0);
                        y1 = TLanes.Fma(v, TLanes.Load(xd + TLanes.Count), y1);
                    }
                    q0 = TLanes.Fma(y0, y0, q0);
                    q1 = TLanes.Fma(y1, y1, q1);
                }
                TVector half = TLanes.Broadcast(-0.5), constant = TLanes.Broadcast(constants[k]);
                double* target = logJoint + lane;
                TLanes.Store(TLanes.Add(TLanes.Load(target), TLanes.Fma(half, q0, constant)), target);
                TLanes.Store(TLanes.Add(TLanes.Load(target + TLanes.Count), TLanes.Fma(half, q1, constant)), target + TLanes.Count);
            }
    }

    /// <summary>Tiles of 4 rows by 4 vectors: 25 registers of 32.</summary>
    public static void AddWide<TLanes, TVector>(
        double* columns, int dimension, int components, double* factors, double* biases, double* constants, double* logJoint, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int packed = Packed.Length(dimension), tiled = dimension & ~3;
        for (int k = 0; k < components; k++, factors += packed, biases += dimension, logJoint += RowBlock.Stride)
            for (int lane = 0; lane < lanes; lane += 4 * TLanes.Count)
            {
                double* x = columns + lane;
                double* w = factors;
                TVector q0 = TLanes.Broadcast(0), q1 = TLanes.Broadcast(0), q2 = TLanes.Broadcast(0), q3 = TLanes.Broadcast(0);
                for (int i = 0; i < tiled; i += 4)
                {
                    double* w1 = w + i + 1;
                    double* w2 = w1 + i + 2;
                    double* w3 = w2 + i + 3;
                    double* xd = x;
                    TVector y00 = TLanes.Broadcast(-biases[i]), y01 = y00, y02 = y00, y03 = y00;
                    TVector y10 = TLanes.Broadcast(-biases[i + 1]), y11 = y10, y12 = y10, y13 = y10;
                    TVector y20 = TLanes.Broadcast(-biases[i + 2]), y21 = y20, y22 = y20, y23 = y20;
                    TVector y30 = TLanes.Broadcast(-biases[i + 3]), y31 = y30, y32 = y30, y33 = y30;
                    TVector x0, x1, x2, x3, v;
                    for (int d = 0; d < i; d++, xd += RowBlock.Stride)
                    {
                        x0 = TLanes.Load(xd);
                        x1 = TLanes.Load(xd + TLanes.Count);
                        x2 = TLanes.Load(xd + 2 * TLanes.Count); x3 = TLanes.Load(xd + 3 * TLanes.Count);
                        v = TLanes.Broadcast(w[d]);
                        y00 = TLanes.Fma(v, x0, y00);
                        y01 = TLanes.Fma(v, x1, y01); y02 = TLanes.Fma(v, x2, y02); y03 = TLanes.Fma(v, x3, y03);
                        v = TLanes.Broadcast(w1[d]);
                        y10 = TLanes.Fma(v, x0, y10);
                        y11 = TLanes.Fma(v, x1, y11); y12 = TLanes.Fma(v, x2, y12); y13 = TLanes.Fma(v, x3, y13);
                        v = TLanes.Broadcast(w2[d]);
                        y20 = TLanes.Fma(v, x0, y20);
                        y21 = TLanes.Fma(v, x1, y21); y22 = TLanes.Fma(v, x2, y22); y23 = TLanes.Fma(v, x3, y23);
                        v = TLanes.Broadcast(w3[d]);
                        y30 = TLanes.Fma(v, x0, y30);
                        y31 = TLanes.Fma(v, x1, y31); y32 = TLanes.Fma(v, x2, y32); y33 = TLanes.Fma(v, x3, y33);
                    }
                    x0 = TLanes.Load(xd);
                    x1 = TLanes.Load(xd + TLanes.Count); x2 = TLanes.Load(xd + 2 * TLanes.Count); x3 = TLanes.Load(xd + 3 * TLanes.Count);
                    v = TLanes.Broadcast(w[i]);
                    y00 = TLanes.Fma(v, x0, y00); y01 = TLanes.Fma(v, x1, y01); y02 = TLanes.Fma(v, x2, y02); y03 = TLanes.Fma(v, x3, y03);
                    v = TLanes.Broadcast(w1[i]);
                    y10 = TLanes.Fma(v, x0, y10); y11 = TLanes.Fma(v, x1, y11); y12 = TLanes.Fma(v, x2, y12); y13 = TLanes.Fma(v, x3, y13);
                    v = TLanes.Broadcast(w2[i]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21); y22 = TLanes.Fma(v, x2, y22); y23 = TLanes.Fma(v, x3, y23);
                    v = TLanes.Broadcast(w3[i]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31); y32 = TLanes.Fma(v, x2, y32); y33 = TLanes.Fma(v, x3, y33);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd);
                    x1 = TLanes.Load(xd + TLanes.Count); x2 = TLanes.Load(xd + 2 * TLanes.Count); x3 = TLanes.Load(xd + 3 * TLanes.Count);
                    v = TLanes.Broadcast(w1[i + 1]);
                    y10 = TLanes.Fma(v, x0, y10); y11 = TLanes.Fma(v, x1, y11); y12 = TLanes.Fma(v, x2, y12); y13 = TLanes.Fma(v, x3, y13);
                    v = TLanes.Broadcast(w2[i + 1]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21); y22 = TLanes.Fma(v, x2, y22); y23 = TLanes.Fma(v, x3, y23);
                    v = TLanes.Broadcast(w3[i + 1]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31); y32 = TLanes.Fma(v, x2, y32); y33 = TLanes.Fma(v, x3, y33);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd);
                    x1 = TLanes.Load(xd + TLanes.Count); x2 = TLanes.Load(xd + 2 * TLanes.Count); x3 = TLanes.Load(xd + 3 * TLanes.Count);
                    v = TLanes.Broadcast(w2[i + 2]);
                    y20 = TLanes.Fma(v, x0, y20); y21 = TLanes.Fma(v, x1, y21); y22 = TLanes.Fma(v, x2, y22); y23 = TLanes.Fma(v, x3, y23);
                    v = TLanes.Broadcast(w3[i + 2]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31); y32 = TLanes.Fma(v, x2, y32); y33 = TLanes.Fma(v, x3, y33);
                    xd += RowBlock.Stride;
                    x0 = TLanes.Load(xd);
                    x1 = TLanes.Load(xd + TLanes.Count); x2 = TLanes.Load(xd + 2 * TLanes.Count); x3 = TLanes.Load(xd + 3 * TLanes.Count);
                    v = TLanes.Broadcast(w3[i + 3]);
                    y30 = TLanes.Fma(v, x0, y30); y31 = TLanes.Fma(v, x1, y31); y32 = TLanes.Fma(v, x2, y32); y33 = TLanes.Fma(v, x3, y33);
                    q0 = TLanes.Fma(y10, y10, TLanes.Fma(y00, y00, q0));
                    q1 = TLanes.Fma(y11, y11, TLanes.Fma(y01, y01, q1));
                    q2 = TLanes.Fma(y12, y12, TLanes.Fma(y02, y02, q2));
                    q3 = TLanes.Fma(y13, y13, TLanes.Fma(y03, y03, q3));
                    q0 = TLanes.Fma(y30, y30, TLanes.Fma(y20, y20, q0));
                    q1 = TLanes.Fma(y31, y31, TLanes.Fma(y21, y21, q1));
                    q2 = TLanes.Fma(y32, y32, TLanes.Fma(y22, y22, q2));
                    q3 = TLanes.Fma(y33, y33, TLanes.Fma(y23, y23, q3));
                    w = w3 + i + 4;
                }
                for (int i = tiled; i < dimension; w += ++i)
                {
                    TVector y0 = TLanes.Broadcast(-biases[i]), y1 = y0, y2 = y0, y3 = y0;
                    double* xd = x;
                    for (int d = 0; d <= i; d++, xd += RowBlock.Stride)
                    {
                        TVector v = TLanes.Broadcast(w[d]);
                        y0 = TLanes.Fma(v, TLanes.Load(xd), y0);
                        y1 = TLanes.Fma(v, TLanes.Load(xd + TLanes.Count), y1);
                        y2 = TLanes.Fma(v, TLanes.Load(xd + 2 * TLanes.Count), y2);
                        y3 = TLanes.Fma(v, TLanes.Load(xd + 3 * TLanes.Count), y3);
                    }
                    q0 = TLanes.Fma(y0, y0, q0);
                    q1 = TLanes.Fma(y1, y1, q1);
                    q2 = TLanes.Fma(y2, y2, q2);
                    q3 = TLanes.Fma(y3, y3, q3);
                }
                TVector half = TLanes.Broadcast(-0.5), constant = TLanes.Broadcast(constants[k]);
                double* target = logJoint + lane;
                TLanes.Store(TLanes.Add(TLanes.Load(target), TLanes.Fma(half, q0, constant)), target);
                TLanes.Store(TLanes.Add(TLanes.Load(target + TLanes.Count), TLanes.Fma(half, q1, constant)), target + TLanes.Count);
                TLanes.Store(TLanes.Add(TLanes.Load(target + 2 * TLanes.Count), TLanes.Fma(half, q2, constant)), target + 2 * TLanes.Count);
                TLanes.Store(TLanes.Add(TLanes.Load(target + 3 * TLanes.Count), TLanes.Fma(half, q3, constant)), target + 3 * TLanes.Count);
            }
    }
}

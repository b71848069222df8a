// Times VGG A and D in oneDNN (float32, CPU): inference, or a whole training step (SGD, momentum 0.9, weight decay 5e-4).
// Debian: apt-get install -y libdnnl-dev (2.6.3)
// Build:  g++ -O3 -march=native -fopenmp onednn_vgg.cpp -o onednn_vgg -ldnnl
// Run:    OMP_NUM_THREADS=2 ./onednn_vgg MODE CONFIG BATCH [ALG [FUSE [WLAYOUT [STEPS [TABLE]]]]]
//   MODE infer|train; CONFIG A|D; ALG direct|auto|winograd (a layer that does not offer it runs direct)|mixed (winograd but for the 3-channel first layer)
//   FUSE 1: ReLU as the forward's post-op, 0: a primitive of its own (in place); its gradient is taken from the output either way
//   WLAYOUT keep: the gradients are asked for in the forward's weight layout (so no reorder of weights);
//           any: each primitive picks its own, with reorders. TABLE 1: per-layer times.
// No dropout. The logits' gradient is softmax minus one-hot, over the batch. Weights stay in their blocked layout.
#include <dnnl.hpp>
#include <omp.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>
using namespace dnnl;
using md = memory::desc; using tag = memory::format_tag; using dt = memory::data_type; using dims = memory::dims;

static engine eng(engine::kind::cpu, 0);
static stream strm(eng);
static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Op { int layer; std::string kind; std::function<void()> run; std::vector<double> t; };
static std::vector<Op> ops;
static void add(int layer, const char *kind, std::function<void()> f) { ops.push_back({layer, kind, std::move(f), {}}); }
static void addp(int layer, const char *kind, primitive p, std::unordered_map<int, memory> a) {
    add(layer, kind, [p, a]() { p.execute(strm, a); strm.wait(); });
}
static memory as(int layer, memory m, const md &want) { // m in the layout wanted, by a reorder in the step only where they differ
    if (m.get_desc() == want) return m;
    memory r(want, eng);
    addp(layer, "reorder", reorder(m, r), {{DNNL_ARG_FROM, m}, {DNNL_ARG_TO, r}});
    return r;
}
static md anymd(dims d) { return md(d, dt::f32, tag::any); }
static tag plain(const dims &d) { return d.size() == 4 ? tag::abcd : d.size() == 2 ? tag::ab : tag::a; }
static std::mt19937 rng(1);
static memory filled(const md &want, float sd) { // normal values, put into the layout at set-up time
    dims d = want.dims(); memory p(md(d, dt::f32, plain(d)), eng);
    size_t n = 1; for (auto x : d) n *= x;
    float *v = (float *)p.get_data_handle(); std::normal_distribution<float> g(0, sd ? sd : 1);
    for (size_t i = 0; i < n; i++) v[i] = sd ? g(rng) : 0;
    if (p.get_desc() == want) return p;
    memory r(want, eng); reorder(p, r).execute(strm, p, r); strm.wait(); return r;
}
static memory zeroed(const md &m) { memory r(m, eng); memset(r.get_data_handle(), 0, m.get_size()); return r; }

struct Layer {
    char kind; // c conv, p pool, i inner product
    std::string name; bool relu = false; double flops = 0; // forward, 2*MACs of direct convolution
    dims sd, wd, bd, od; algorithm alg;
    convolution_forward::primitive_desc cf; pooling_forward::primitive_desc pf; inner_product_forward::primitive_desc inf;
    memory src, w, b, dst, ws; std::string impl_f, impl_d, impl_w;
};
static std::vector<std::pair<memory, memory>> params; // weight, gradient, in the same layout

int main(int argc, char **argv) {
    auto arg = [&](int i, const char *d) { return std::string(argc > i ? argv[i] : d); };
    bool train = arg(1, "infer") == "train"; char cfg = arg(2, "D")[0]; int N = atoi(arg(3, "1").c_str());
    if ((!train && arg(1, "infer") != "infer") || (cfg != 'A' && cfg != 'D') || N < 1) { fprintf(stderr, "usage: onednn_vgg infer|train A|D BATCH [ALG [FUSE [WLAYOUT [STEPS [TABLE]]]]]\n"); return 2; }
    std::string algs = arg(4, "direct"); bool fuse = arg(5, "1") == "1"; bool keep = arg(6, "keep") == "keep";
    int steps = std::max(1, atoi(arg(7, "7").c_str())); bool table = arg(8, "0") == "1";
    algorithm alg0 = algs == "auto" ? algorithm::convolution_auto : algs == "winograd" || algs == "mixed" ? algorithm::convolution_winograd : algorithm::convolution_direct;
    std::vector<std::vector<int>> A = {{64}, {128}, {256, 256}, {512, 512}, {512, 512}},
        D = {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
    const dims one{1, 1}, two{2, 2}, zero{0, 0};
    std::vector<Layer> L; int c = 3, hw = 224, s = 0;
    for (auto &st : cfg == 'A' ? A : D) {
        s++; int k = 0;
        for (int o : st) {
            Layer l; l.kind = 'c'; l.relu = true; l.name = "conv" + std::to_string(s) + "_" + std::to_string(++k);
            l.sd = {N, c, hw, hw}; l.wd = {o, c, 3, 3}; l.bd = {o}; l.od = {N, o, hw, hw}; l.flops = 18.0 * N * c * o * hw * hw;
            L.push_back(l); c = o;
        }
        Layer p; p.kind = 'p'; p.name = "pool" + std::to_string(s); p.sd = {N, c, hw, hw}; hw /= 2; p.od = {N, c, hw, hw}; L.push_back(p);
    }
    int fi = c, fo[] = {4096, 4096, 1000};
    for (int i = 0; i < 3; i++) {
        Layer l; l.kind = 'i'; l.relu = i < 2; l.name = "fc" + std::to_string(6 + i);
        l.sd = i ? dims{N, fi} : dims{N, fi, hw, hw}; l.wd = i ? dims{fo[i], fi} : dims{fo[i], fi, hw, hw}; l.bd = {fo[i]}; l.od = {N, fo[i]};
        l.flops = 2.0 * N * fi * fo[i] * (i ? 1 : hw * hw); L.push_back(l); fi = fo[i];
    }
    primitive_attr fused; { post_ops po; po.append_eltwise(1.f, algorithm::eltwise_relu, 0, 0); fused.set_post_ops(po); }
    auto prop = train ? prop_kind::forward_training : prop_kind::forward_inference;
    auto relu_bwd_alg = algorithm::eltwise_relu_use_dst_for_bwd;

    // Forward.
    memory x = filled(md({N, 3, 224, 224}, dt::f32, tag::nchw), 1.f);
    for (int i = 0; i < (int)L.size(); i++) {
        Layer &l = L[i]; primitive_attr at = l.relu && fuse ? fused : primitive_attr();
        size_t fan = 1; for (size_t j = 1; j < l.wd.size(); j++) fan *= l.wd[j];
        if (l.kind == 'c') {
            auto mk = [&](algorithm a) { return convolution_forward::primitive_desc(convolution_forward::desc(prop, a, anymd(l.sd), anymd(l.wd), anymd(l.bd), anymd(l.od), one, one, one), at, eng); };
            l.alg = algs == "mixed" && i == 0 ? algorithm::convolution_direct : alg0;
            try { l.cf = mk(l.alg); } catch (error &) { l.alg = algorithm::convolution_direct; l.cf = mk(l.alg); }
            l.impl_f = l.cf.impl_info_str();
            l.src = as(i, x, l.cf.src_desc()); l.w = filled(l.cf.weights_desc(), std::sqrt(2.f / fan)); l.b = filled(l.cf.bias_desc(), 0); l.dst = memory(l.cf.dst_desc(), eng);
            addp(i, "fwd", convolution_forward(l.cf), {{DNNL_ARG_SRC, l.src}, {DNNL_ARG_WEIGHTS, l.w}, {DNNL_ARG_BIAS, l.b}, {DNNL_ARG_DST, l.dst}});
        } else if (l.kind == 'i') {
            l.inf = inner_product_forward::primitive_desc(inner_product_forward::desc(prop, anymd(l.sd), anymd(l.wd), anymd(l.bd), anymd(l.od)), at, eng);
            l.impl_f = l.inf.impl_info_str();
            l.src = as(i, x, l.inf.src_desc()); l.w = filled(l.inf.weights_desc(), std::sqrt((l.relu ? 2.f : .1f) / fan)); l.b = filled(l.inf.bias_desc(), 0); l.dst = memory(l.inf.dst_desc(), eng);
            addp(i, "fwd", inner_product_forward(l.inf), {{DNNL_ARG_SRC, l.src}, {DNNL_ARG_WEIGHTS, l.w}, {DNNL_ARG_BIAS, l.b}, {DNNL_ARG_DST, l.dst}});
        } else {
            l.pf = pooling_forward::primitive_desc(pooling_forward::desc(prop, algorithm::pooling_max, x.get_desc(), anymd(l.od), two, two, zero, zero), eng);
            l.impl_f = l.pf.impl_info_str(); l.src = x; l.dst = memory(l.pf.dst_desc(), eng);
            std::unordered_map<int, memory> a{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, l.dst}};
            if (train) { l.ws = memory(l.pf.workspace_desc(), eng); a[DNNL_ARG_WORKSPACE] = l.ws; }
            addp(i, "pool_fwd", pooling_forward(l.pf), a);
        }
        if (l.relu && !fuse) {
            eltwise_forward::primitive_desc e(eltwise_forward::desc(prop, relu_bwd_alg, l.dst.get_desc(), 0, 0), eng);
            addp(i, "relu_fwd", eltwise_forward(e), {{DNNL_ARG_SRC, l.dst}, {DNNL_ARG_DST, l.dst}});
        }
        x = l.dst;
    }
    memory logits = as(L.size() - 1, x, md({N, 1000}, dt::f32, tag::ab));
    double loss = 0;
    if (train) {
        memory dl(logits.get_desc(), eng);
        add(L.size() - 1, "loss", [&, dl]() {
            const float *z = (float *)logits.get_data_handle(); float *g = (float *)dl.get_data_handle(); loss = 0;
            for (int n = 0; n < N; n++) {
                const float *r = z + n * 1000; float m = *std::max_element(r, r + 1000); double t = 0; int y = (n * 37) % 1000;
                for (int j = 0; j < 1000; j++) t += std::exp(r[j] - m);
                for (int j = 0; j < 1000; j++) g[n * 1000 + j] = (float)((std::exp(r[j] - m) / t - (j == y)) / N);
                loss += (std::log(t) + m - r[y]) / N;
            }
        });
        memory g = dl;
        for (int i = (int)L.size() - 1; i >= 0; i--) {
            Layer &l = L[i];
            if (l.relu) {
                g = as(i, g, l.dst.get_desc());
                eltwise_forward::primitive_desc e(eltwise_forward::desc(prop, relu_bwd_alg, l.dst.get_desc(), 0, 0), eng);
                eltwise_backward::primitive_desc b(eltwise_backward::desc(relu_bwd_alg, g.get_desc(), l.dst.get_desc(), 0, 0), eng, e);
                addp(i, "relu_bwd", eltwise_backward(b), {{DNNL_ARG_DST, l.dst}, {DNNL_ARG_DIFF_DST, g}, {DNNL_ARG_DIFF_SRC, g}});
            }
            if (l.kind == 'p') {
                pooling_backward::primitive_desc b(pooling_backward::desc(algorithm::pooling_max, l.src.get_desc(), l.dst.get_desc(), two, two, zero, zero), eng, l.pf);
                g = as(i, g, b.diff_dst_desc()); memory d(b.diff_src_desc(), eng); l.impl_d = b.impl_info_str();
                addp(i, "pool_bwd", pooling_backward(b), {{DNNL_ARG_DIFF_DST, g}, {DNNL_ARG_WORKSPACE, l.ws}, {DNNL_ARG_DIFF_SRC, d}});
                g = d; continue;
            }
            md wk = l.w.get_desc(), wa = anymd(l.wd);
            auto slow = [](const char *s) { return strstr(s, "ref") != nullptr; };
            md dsrc, dwant, dwd, swant, dw; primitive pw, pd; md wneed;
            if (l.kind == 'c') {
                auto mw = [&](md w, algorithm a) { return convolution_backward_weights::primitive_desc(convolution_backward_weights::desc(a, anymd(l.sd), w, anymd(l.bd), anymd(l.od), one, one, one), eng, l.cf); };
                auto md_ = [&](md w, algorithm a) { return convolution_backward_data::primitive_desc(convolution_backward_data::desc(a, anymd(l.sd), w, anymd(l.od), one, one, one), eng, l.cf); };
                auto pick = [&](auto f) { decltype(f(wa, l.alg)) r; // the layout asked for first, then any; the algorithm asked for first, then direct
                    for (algorithm a : {l.alg, algorithm::convolution_direct}) for (int k = keep ? 0 : 1; k < 2; k++)
                        try { r = f(k ? wa : wk, a); if (!slow(r.impl_info_str())) return r; } catch (error &) {}
                    return f(wa, algorithm::convolution_auto); };
                auto bw = pick(mw); pw = convolution_backward_weights(bw); swant = bw.src_desc(); dwd = bw.diff_dst_desc(); dw = bw.diff_weights_desc(); l.impl_w = bw.impl_info_str();
                if (i > 0) { auto bd = pick(md_); pd = convolution_backward_data(bd); dwant = bd.diff_dst_desc(); dsrc = bd.diff_src_desc(); wneed = bd.weights_desc(); l.impl_d = bd.impl_info_str(); }
            } else {
                auto mw = [&](md w) { return inner_product_backward_weights::primitive_desc(inner_product_backward_weights::desc(anymd(l.sd), w, anymd(l.bd), anymd(l.od)), eng, l.inf); };
                auto md_ = [&](md w) { return inner_product_backward_data::primitive_desc(inner_product_backward_data::desc(anymd(l.sd), w, anymd(l.od)), eng, l.inf); };
                auto pick = [&](auto f) { decltype(f(wa)) r; if (keep) try { r = f(wk); if (!slow(r.impl_info_str())) return r; } catch (error &) {} return f(wa); };
                auto bw = pick(mw); pw = inner_product_backward_weights(bw); swant = bw.src_desc(); dwd = bw.diff_dst_desc(); dw = bw.diff_weights_desc(); l.impl_w = bw.impl_info_str();
                auto bd = pick(md_); pd = inner_product_backward_data(bd); dwant = bd.diff_dst_desc(); dsrc = bd.diff_src_desc(); wneed = bd.weights_desc(); l.impl_d = bd.impl_info_str();
            }
            memory gw(dw, eng), gb(l.b.get_desc(), eng);
            addp(i, "bwd_weights", pw, {{DNNL_ARG_SRC, as(i, l.src, swant)}, {DNNL_ARG_DIFF_DST, as(i, g, dwd)}, {DNNL_ARG_DIFF_WEIGHTS, gw}, {DNNL_ARG_DIFF_BIAS, gb}});
            params.push_back({l.w, as(i, gw, wk)}); params.push_back({l.b, gb});
            if (i > 0) {
                memory d(dsrc, eng);
                addp(i, "bwd_data", pd, {{DNNL_ARG_WEIGHTS, as(i, l.w, wneed)}, {DNNL_ARG_DIFF_DST, as(i, g, dwant)}, {DNNL_ARG_DIFF_SRC, d}});
                g = d;
            }
        }
        std::vector<memory> vel; for (auto &p : params) vel.push_back(zeroed(p.first.get_desc()));
        add(-1, "sgd", [vel]() {
            for (size_t k = 0; k < params.size(); k++) {
                float *w = (float *)params[k].first.get_data_handle(), *v = (float *)vel[k].get_data_handle();
                const float *g = (const float *)params[k].second.get_data_handle(); long n = params[k].first.get_desc().get_size() / 4;
                #pragma omp parallel for simd schedule(static)
                for (long j = 0; j < n; j++) { v[j] = .9f * v[j] + g[j] + 5e-4f * w[j]; w[j] -= 1e-3f * v[j]; }
            }
        });
    }

    std::vector<double> ts; double loss0 = 0;
    for (int k = 0; k < steps + 2; k++) {
        double t0 = now();
        for (auto &o : ops) { double a = now(); o.run(); if (k >= 2) o.t.push_back(now() - a); }
        double d = now() - t0; if (k >= 2) ts.push_back(d); if (!k) loss0 = loss;
    }
    auto med = [](std::vector<double> v) { std::sort(v.begin(), v.end()); return v[v.size() / 2]; };
    double fl = 0, m = med(ts); for (auto &l : L) fl += l.flops; if (train) fl = 3 * fl - L[0].flops;
    const float *z = (float *)logits.get_data_handle(); double sum = 0; for (int j = 0; j < 1000 * N; j++) sum += z[j] * z[j];
    const version_t *v = dnnl_version();
    printf("oneDNN-%d.%d.%d\t%s alg=%s fuse=%d wlayout=%s\t%c\t224\t%d\t%d\t%.4f\t%.3f\t%.1f\n", v->major, v->minor, v->patch, train ? "train" : "infer", algs.c_str(), fuse, keep ? "keep" : "any", cfg, N, omp_get_max_threads(), m, N / m, fl / m / 1e9);
    printf("# min %.4f max %.4f s over %d steps; rms logit %.3f", *std::min_element(ts.begin(), ts.end()), *std::max_element(ts.begin(), ts.end()), steps, std::sqrt(sum / 1000 / N));
    if (train) printf("; loss %.3f -> %.3f", loss0, loss);
    printf("\n# by kind, ms:"); std::map<std::string, double> bk; for (auto &o : ops) bk[o.kind] += med(o.t) * 1e3;
    for (auto &k : bk) printf(" %s %.1f", k.first.c_str(), k.second);
    printf("\n");
    if (table) {
        printf("# layer\tGFLOP\tfwd_ms\tGF/s\tbwd_data_ms\tGF/s\tbwd_weights_ms\tGF/s\tother_ms\timplementations\n");
        for (int i = 0; i < (int)L.size(); i++) {
            std::map<std::string, double> t; double other = 0;
            for (auto &o : ops) if (o.layer == i) { if (o.kind == "fwd" || o.kind == "bwd_data" || o.kind == "bwd_weights") t[o.kind] += med(o.t); else other += med(o.t); }
            printf("# %s\t%.2f", L[i].name.c_str(), L[i].flops / 1e9);
            for (auto k : {"fwd", "bwd_data", "bwd_weights"}) { if (t[k] > 0) printf("\t%.2f\t%.0f", t[k] * 1e3, L[i].flops / t[k] / 1e9); else printf("\t-\t-"); }
            printf("\t%.2f\t%s | %s | %s\n", other * 1e3, L[i].impl_f.c_str(), L[i].impl_d.c_str(), L[i].impl_w.c_str());
        }
    }
}

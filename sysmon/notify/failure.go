package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"posthouse/sysmon/words"
)

// Failure is a message that did not get through.
type Failure struct {
	Again  bool       // another try can help
	Answer string     // what the other side said, without secrets
	Why    words.Text // what went wrong and what to do
	err    error      // what it is around, without secrets; nil: nothing to ask for
}

// Unwrap gives what a caller may ask for by errors.Is.
func (f *Failure) Unwrap() error { return f.err }

// Say is the reason with the other side's answer.
func (f *Failure) Say() words.Text {
	if f.Answer == "" {
		return f.Why
	}
	return words.Of(f.Why.EN+": "+f.Answer, f.Why.ZH+"："+f.Answer)
}

func (f *Failure) Error() string { return f.Say().EN }

// Why is what a person reads of an error of Send: a Failure's own words, or
// the error's text in both languages.
func Why(err error) words.Text {
	var f *Failure
	if errors.As(err, &f) {
		return f.Say()
	}
	return words.Of(err.Error(), err.Error())
}

// refused is a Failure that another try does not mend.
func refused(answer, en, zh string, args ...any) *Failure {
	return &Failure{Answer: answer, Why: words.Of(fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...))}
}

// broken is a Failure of the way to the other side; step is what was tried.
func broken(err error, en, zh string) *Failure {
	c := cause(err)
	return &Failure{Again: true, Why: words.Of(en+": "+c.EN, zh+"："+c.ZH), err: err}
}

// unwritable is a message that JSON cannot hold.
func unwritable(err error) *Failure {
	return refused("", "the message cannot be written as JSON: %v", "无法将消息写成 JSON：%v", err)
}

// cause puts the common faults of a network into words that name the cure; of
// others it gives the text.
func cause(err error) words.Text {
	var (
		name    *net.DNSError
		unknown x509.UnknownAuthorityError
		other   x509.HostnameError
		old     x509.CertificateInvalidError
		plain   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return words.Of("the name "+name.Name+" is not known: check how it is written, and the DNS server of this box", "找不到主机名 "+name.Name+"：请检查拼写以及本机的 DNS 服务器")
	case errors.As(err, &name):
		return words.Of("the DNS server of this box did not answer for "+name.Name, "本机的 DNS 服务器未能解析 "+name.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return words.Of("nothing listens there: check address and port", "对方端口无服务监听：请检查地址与端口")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return words.Of("this box has no way to it: check the network and its gateway", "本机到对方网络不通：请检查网络与网关")
	case errors.As(err, &unknown):
		return words.Of("its certificate is of an authority this box does not trust: give that authority's certificate, or install it on the box", "其证书由本机不信任的机构签发：请填写该机构的证书，或在本机安装")
	case errors.As(err, &other):
		return words.Of("its certificate is for another name: enter the name that stands in it", "其证书属于另一个名称：请填写证书中的名称")
	case errors.As(err, &old):
		return words.Of("its certificate is not valid: "+old.Error()+"; check it and the clock of this box", "其证书无效（"+old.Error()+"）：请检查证书与本机时钟")
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return words.Of("the other side does not speak TLS on this port", "对方在该端口上不使用 TLS")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timeout(err):
		return words.Of("no answer in time: check the address, and firewalls on the way", "对方未及时响应：请检查地址以及途中的防火墙")
	case errors.Is(err, ErrNobody):
		return words.Of("nobody has an account yet", "还没有任何账号")
	case errors.Is(err, os.ErrNotExist):
		return words.Of("there is no such file: check how it is written, and whether it is plugged in", "文件不存在：请检查路径，以及设备是否已连接")
	case errors.Is(err, syscall.EACCES), errors.Is(err, os.ErrPermission):
		return words.Of("the server may not open it: "+err.Error(), "服务器无权打开："+err.Error())
	}
	return words.Of(err.Error(), err.Error())
}

func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// hinted is a Failure with what is known of the other side's code: the cure.
func hinted(f *Failure, hint words.Text, known bool) *Failure {
	if known {
		f.Why = words.Of(f.Why.EN+" ("+hint.EN+")", f.Why.ZH+"（"+hint.ZH+"）")
	}
	return f
}

// robotHint knows the codes of DingTalk's custom robots, WeCom's group robots
// and Feishu's custom bots, as their documentation of errors lists them.
func robotHint(code int64) (words.Text, bool) {
	switch code {
	case 310000: // DingTalk: the text tells which of the three
		return words.Of("its security settings refuse this: give the signing secret, allow this box's address, or a keyword that stands in every alert", "不符合机器人的安全设置：请填写加签密钥、将本机地址加入白名单，或使用每条告警都含有的关键词"), true
	case 300005, 400101, 400106, 93000, 19001:
		return words.Of("there is no such robot any more: copy its address again", "机器人不存在或已被移除：请重新复制其地址"), true
	case 400013:
		return words.Of("the group was dissolved", "群聊已解散"), true
	case 400102:
		return words.Of("the robot is switched off", "机器人已停用"), true
	case 130101, 410100, 45009, 9499, 11232:
		return words.Of("too many messages a minute; it is tried again", "发送过于频繁，稍后重试"), true
	case 19021:
		return words.Of("the signing secret is wrong, or this box's clock is off by more than an hour", "加签密钥错误，或本机时钟误差超过一小时"), true
	case 19022:
		return words.Of("allow this box's address in the robot's settings", "请在机器人设置中将本机地址加入白名单"), true
	case 19024:
		return words.Of("the robot wants a keyword: choose one that stands in every alert", "机器人要求关键词：请使用每条告警都含有的关键词"), true
	}
	return words.Text{}, false
}

// robotBusy says whether a robot's code means that it may be tried again.
func robotBusy(code int64) bool {
	switch code {
	case -1, 130101, 410100, 45009, 9499, 11232:
		return true
	}
	return false
}

// mailHint knows what replies of SMTP (RFC 5321, RFC 4954) come from.
func mailHint(code int) (words.Text, bool) {
	switch code {
	case 530:
		return words.Of("the server wants a login: give user name and password", "服务器要求登录：请填写用户名与密码"), true
	case 535:
		return words.Of("user name or password are wrong; many providers want an app password instead", "用户名或密码错误；许多邮箱需使用授权码而非登录密码"), true
	case 538:
		return words.Of("the server takes passwords over TLS only: choose starttls or tls", "服务器仅接受 TLS 登录：请选择 starttls 或 tls"), true
	case 550, 551, 553:
		return words.Of("the server does not take this address: check it, and whether the sender may send", "服务器不接受该地址：请检查地址以及发件人的发送权限"), true
	case 552, 452:
		return words.Of("the mailbox or the server is full", "邮箱或服务器空间已满"), true
	case 554:
		return words.Of("the server does not relay for this box: allow its address, or log in", "服务器不为本机转发：请将本机地址加入许可，或使用登录"), true
	}
	return words.Text{}, false
}

// aliyunHint knows codes of Aliyun's SendSms, as its documentation lists them.
func aliyunHint(code string) (words.Text, bool) {
	switch {
	case strings.Contains(code, "LIMIT_CONTROL"), strings.HasPrefix(code, "Throttling"):
		return words.Of("too many messages to this number; it is tried again", "对该号码发送过于频繁，稍后重试"), true
	case code == "isv.AMOUNT_NOT_ENOUGH", code == "isv.OUT_OF_SERVICE":
		return words.Of("the account has no money left", "账户余额不足"), true
	case code == "isv.SMS_SIGNATURE_ILLEGAL", code == "isv.SMS_SIGN_ILLEGAL":
		return words.Of("the signature is not approved", "短信签名未通过审核"), true
	case code == "isv.SMS_TEMPLATE_ILLEGAL":
		return words.Of("the template is not approved", "短信模板未通过审核"), true
	case code == "isv.TEMPLATE_MISSING_PARAMETERS", code == "isv.TEMPLATE_PARAMS_ILLEGAL":
		return words.Of("the template has another variable: check its name", "模板变量不符：请检查变量名"), true
	case code == "isv.MOBILE_NUMBER_ILLEGAL":
		return words.Of("a phone number is wrong", "手机号码有误"), true
	case code == "SignatureDoesNotMatch", strings.HasPrefix(code, "InvalidAccessKeyId"):
		return words.Of("the access key or its secret is wrong", "AccessKey 或其密钥有误"), true
	case code == "isp.RAM_PERMISSION_DENY", code == "isv.RAM_PERMISSION_DENY":
		return words.Of("the access key may not send messages", "该 AccessKey 没有发送短信的权限"), true
	}
	return words.Text{}, false
}

// modemHint knows results of modems: +CME ERROR as 3GPP TS 27.007 numbers them
// in 9.2, +CMS ERROR as 3GPP TS 27.005 does in 3.2.5.
func modemHint(result string) (words.Text, bool) {
	switch result {
	case "+CME ERROR: 10", "+CMS ERROR: 310":
		return words.Of("there is no SIM card in it", "未插入 SIM 卡"), true
	case "+CME ERROR: 11", "+CMS ERROR: 311":
		return words.Of("the SIM card wants its PIN", "SIM 卡需要 PIN 码"), true
	case "+CME ERROR: 12", "+CMS ERROR: 316":
		return words.Of("the SIM card is blocked and wants its PUK", "SIM 卡已锁定，需要 PUK 码"), true
	case "+CME ERROR: 13", "+CMS ERROR: 313":
		return words.Of("the SIM card is broken", "SIM 卡故障"), true
	case "+CME ERROR: 14", "+CMS ERROR: 314":
		return words.Of("the SIM card is busy", "SIM 卡忙"), true
	case "+CME ERROR: 15", "+CMS ERROR: 315":
		return words.Of("the SIM card is of a wrong kind", "SIM 卡类型不符"), true
	case "+CME ERROR: 16":
		return words.Of("the PIN is wrong: three wrong ones block the card", "PIN 码错误，连续三次错误将锁卡"), true
	case "+CME ERROR: 30", "+CMS ERROR: 331":
		return words.Of("it has no network: look at its antenna", "没有网络：请检查天线"), true
	case "+CME ERROR: 32":
		return words.Of("the network lets it make emergency calls only: the card is not admitted", "仅限紧急呼叫：该卡未获准入网"), true
	case "+CMS ERROR: 21", "+CMS ERROR: 50", "+CMS ERROR: 69":
		return words.Of("the network refused the message: look at the card's contract", "网络拒绝了短信：请检查该卡的套餐"), true
	case "+CMS ERROR: 1", "+CMS ERROR: 28":
		return words.Of("the number is not in use", "号码不存在"), true
	case "+CMS ERROR: 38", "+CMS ERROR: 41", "+CMS ERROR: 42", "+CMS ERROR: 47":
		return words.Of("the network is out of order or full", "网络故障或拥塞"), true
	case "+CMS ERROR: 330":
		return words.Of("the card does not know its service centre", "未设置短信中心号码"), true
	case "+CMS ERROR: 332":
		return words.Of("the network did not answer in time", "网络超时"), true
	}
	return words.Text{}, false
}
